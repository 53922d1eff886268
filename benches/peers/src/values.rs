//! Values that differ from row to row, in the words of each database.

use crate::database::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    Uuid,
    UuidText,
    Digest,
    /// 22 characters.
    Short,
    UserNumber,
    UserText,
}

impl Value {
    /// What makes one, of `others` users from `first` on.
    pub fn sql(self, kind: Kind, first: i64, others: i64) -> String {
        match (self, kind) {
            (Self::Uuid, Kind::Postgres) => "gen_random_uuid()".into(),
            (Self::UuidText, Kind::Postgres) => "gen_random_uuid()::text".into(),
            (Self::Uuid | Self::UuidText, Kind::MariaDb) => "UUID()".into(),
            (Self::Uuid | Self::UuidText, Kind::Sqlite) => {
                "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-7' || substr(hex(randomblob(2)), 2) || \
                 '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
                    .into()
            }
            (Self::Digest, Kind::Sqlite) => "randomblob(32)".into(),
            (Self::Digest, Kind::Postgres) => "sha256(gen_random_uuid()::text::bytea)".into(),
            (Self::Digest, Kind::MariaDb) => "UNHEX(SHA2(UUID(), 256))".into(),
            (Self::Short, Kind::Sqlite) => "hex(randomblob(11))".into(),
            (Self::Short, Kind::Postgres) => "left(md5(gen_random_uuid()::text), 22)".into(),
            (Self::Short, Kind::MariaDb) => "LEFT(MD5(UUID()), 22)".into(),
            (Self::UserNumber, Kind::Sqlite) => format!("{first} + abs(random()) % {others}"),
            (Self::UserText, Kind::Sqlite) => format!("CAST({first} + abs(random()) % {others} AS TEXT)"),
            (Self::UserNumber, Kind::Postgres) => format!("{first} + floor(random() * {others})::bigint"),
            (Self::UserText, Kind::Postgres) => format!("({first} + floor(random() * {others})::bigint)::text"),
            (Self::UserNumber, Kind::MariaDb) => format!("{first} + FLOOR(RAND() * {others})"),
            (Self::UserText, Kind::MariaDb) => format!("CAST({first} + FLOOR(RAND() * {others}) AS CHAR)"),
        }
    }
}
