//! Nothing: the benchmark is in `benches/hot.rs`.
