//! Passwords, as Argon2id with OWASP's minimum (19 MiB, two passes), which is the crate's default.
//! <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>

use std::io;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Each check takes 19 MiB: a flood of sign-ins has to wait in line rather than fill the memory.
static TURNS: Semaphore = Semaphore::const_new(4);

/// Whether this is the password behind `stored`. Without an account there is nothing stored, and
/// finding that out takes as long: the time of an answer does not tell which user names exist.
pub async fn verify(password: String, stored: Option<String>) -> io::Result<bool> {
    expensive(move || match stored {
        Some(stored) => {
            let stored = PasswordHash::new(&stored).map_err(io::Error::other)?;
            Ok(Argon2::default()
                .verify_password(password.as_bytes(), &stored)
                .is_ok())
        }
        None => Argon2::default()
            .hash_password(password.as_bytes())
            .map(|_| false)
            .map_err(io::Error::other),
    })
    .await
}

/// What is stored of a password: parameters, a fresh salt and the hash.
pub async fn hash(password: String) -> io::Result<String> {
    expensive(move || {
        let hash = Argon2::default()
            .hash_password(password.as_bytes())
            .map_err(io::Error::other)?;
        Ok(hash.to_string())
    })
    .await
}

/// Runs what takes milliseconds of computing where it holds up no other request.
async fn expensive<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let _turn = TURNS.acquire().await.map_err(io::Error::other)?;
    spawn_blocking(work).await.map_err(io::Error::other)?
}
