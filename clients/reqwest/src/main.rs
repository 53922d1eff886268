//! reqwest with the cookie store that it brings.

use std::{error::Error, process::ExitCode, time::Duration};

use reqwest::{Client, Response, redirect::Policy};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(origin) = std::env::args().nth(1) else {
        eprintln!("reqwest: the demo's origin is missing");
        return ExitCode::FAILURE;
    };
    match run(&origin).await {
        Ok(()) => {
            println!("reqwest");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("reqwest: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(origin: &str) -> Result<(), Box<dyn Error>> {
    let client = Client::builder()
        .cookie_store(true)
        .redirect(Policy::none())
        .timeout(Duration::from_secs(20))
        .build()?;
    let get = async |path: &str| client.get(format!("{origin}{path}")).send().await;
    for _ in 0..3 {
        let form = [("username", "alice"), ("password", "alice-password")];
        let login = client.post(format!("{origin}/login")).form(&form);
        expect("sign in", 303, &login.send().await?)?;
        if !get("/").await?.text().await?.contains("Welcome, alice.") {
            return Err("the message is not shown".into());
        }
        for _ in 0..5 {
            let answer = get("/whoami").await?;
            expect("who am I", 200, &answer)?;
            let body = answer.text().await?;
            if !body.contains(r#""user_id":"2""#) {
                return Err(format!("who am I: {body}").into());
            }
        }
        let logout = client.post(format!("{origin}/logout"));
        expect("sign out", 303, &logout.send().await?)?;
        expect("afterwards", 401, &get("/whoami").await?)?;
    }
    Ok(())
}

fn expect(what: &str, expected: u16, answer: &Response) -> Result<(), Box<dyn Error>> {
    match answer.status().as_u16() {
        status if status == expected => Ok(()),
        status => Err(format!("{what}: expected {expected}, got {status}").into()),
    }
}
