//! A program that a test runs: what it is told, what it says, how it ends; each within a time limit.

#![allow(dead_code, reason = "each test file uses its own share")]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long anything here may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// Returns where `cargo test` has built the example; `cargo test --test NAME` and builds for another machine have not.
pub(crate) fn example(name: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    // How far below the folder of the profile the tests are is another matter for each version of cargo.
    let mut programs = test.ancestors().take(6).map(|folder| folder.join("examples").join(name));
    if cfg!(miri) { None } else { programs.find(|program| program.is_file()) }
}

/// A program that runs.
pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Said,
    stderr: Said,
}

/// How a program has ended, and all that it said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    pub(crate) fn start(program: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stdout = Said::listen(child.stdout.take().expect("a pipe"));
        let stderr = Said::listen(child.stderr.take().expect("a pipe"));
        Self { stdin: child.stdin.take(), child, stdout, stderr }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes to the program's standard input.
    pub(crate) fn tell(&mut self, text: impl AsRef<[u8]>) {
        self.stdin.as_mut().expect("it is open").write_all(text.as_ref()).expect("it reads");
    }

    /// Ends the program's standard input.
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Waits until standard output has `text` in it; returns all of it.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        wait(&format!("{text:?} in standard output"), || Some(self.stdout.text()).filter(|said| said.contains(text)))
    }

    /// Waits until standard error has `text` in it.
    pub(crate) fn wait_for_error(&self, text: &str) -> String {
        wait(&format!("{text:?} in standard error"), || Some(self.stderr.text()).filter(|said| said.contains(text)))
    }

    /// Waits for the end of the program; its standard input stays open until then.
    pub(crate) fn outcome(mut self) -> Outcome {
        let status = wait("the end of the program", || self.child.try_wait().expect("a child"));
        wait("the end of what it says", || (self.stdout.is_over() && self.stderr.is_over()).then_some(()));
        Outcome { code: status.code(), stdout: self.stdout.text(), stderr: self.stderr.text() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs the program to its end.
pub(crate) fn run(program: &Path, args: &[&str], stdin: &[u8]) -> Outcome {
    let mut program = Program::start(program, args);
    program.stdin.as_mut().expect("a pipe").write_all(stdin).ok(); // it may have ended already
    program.end_input();
    program.outcome()
}

/// What comes out of a pipe.
#[derive(Clone)]
struct Said(Arc<Mutex<(Vec<u8>, bool)>>);

impl Said {
    fn listen(mut pipe: impl Read + Send + 'static) -> Self {
        let said = Self(Arc::default());
        let writer = said.clone();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(len @ 1..) = pipe.read(&mut chunk) {
                writer.0.lock().expect("no panic").0.extend_from_slice(&chunk[..len]);
            }
            writer.0.lock().expect("no panic").1 = true;
        });
        said
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic").0).into_owned()
    }

    fn is_over(&self) -> bool {
        self.0.lock().expect("no panic").1
    }
}

fn wait<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(start.elapsed() < LIMIT, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}
