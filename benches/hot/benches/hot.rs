//! `cargo bench` in `benches/hot`: the pieces that every request with a session passes, with the allocations of each.

use std::hint::black_box;

use countersign::benches::RequestWithSession;
use criterion::{Criterion, criterion_group, criterion_main};

/// Times it, after saying what one run of it allocates.
fn time<T>(criterion: &mut Criterion, name: &str, mut piece: impl FnMut() -> T) {
    // What is made once and kept does not count.
    black_box(piece());
    let allocated = allocation_counter::measure(|| {
        black_box(piece());
    });
    println!(
        "{name}: {} allocations, {} bytes",
        allocated.count_total, allocated.bytes_total
    );
    criterion.bench_function(name, |bencher| bencher.iter(|| black_box(piece())));
}

/// From the bytes of the `Cookie` header to the digest of the token.
fn cookies(criterion: &mut Criterion) {
    for (name, keys, neighbours) in [
        ("cookie to digest", 1, 0),
        ("cookie to digest, behind 20 others", 1, 20),
        ("cookie to digest, sealed by the third key", 3, 0),
    ] {
        let request = RequestWithSession::new(keys, neighbours);
        time(criterion, name, || request.digest());
    }
}

criterion_group!(hot, cookies);
criterion_main!(hot);
