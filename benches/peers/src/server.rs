//! A contender's server as a process.

use std::{
    error::Error,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::cpu;

pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    pub fn start(
        program: &Path,
        contender: &str,
        url: &str,
        workers: usize,
    ) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(program)
            .args([contender, url, &workers.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let Ok(port) = line.trim().parse::<u16>() else {
            let status = child.wait()?;
            return Err(
                format!("the server of {contender} ended while it was starting: {status}").into(),
            );
        };
        Ok(Self {
            child,
            address: (Ipv4Addr::LOCALHOST, port).into(),
        })
    }

    pub fn cpu_seconds(&self) -> Option<f64> {
        cpu::seconds(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its standard input ends it; killing is for one that hangs.
        drop(self.child.stdin.take());
        for _ in 0..50 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
