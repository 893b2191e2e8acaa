//! One run of the real binary in a folder of its own: what goes in, and what has to come out.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A run that takes longer hangs. Generous: machines that test also build.
const RUN_TIME_MAX: Duration = Duration::from_secs(60);

/// A folder below the build's temporary one, gone with its owner.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("cli-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the build's folder is writable");
        Folder(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is inside a folder"))
            .expect("the folder is writable");
        fs::write(path, bytes).expect("the folder is writable");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|why| panic!("`{name}`: {why}"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A run to be: files, arguments and input first, then what to expect.
pub(crate) struct Run {
    folder: Folder,
    command: Command,
    stdin: Vec<u8>,
}

impl Run {
    /// In a new folder, with a compiled-code cache, a control token and nodes of its own.
    pub(crate) fn new() -> Run {
        Run::inside(Folder::new())
    }

    /// In the folder of an earlier run.
    pub(crate) fn inside(folder: Folder) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rusm"));
        command
            .current_dir(&folder.0)
            .env("RUSM_CACHE_DIR", folder.path("cache"))
            .env("XDG_CONFIG_HOME", folder.path("config"))
            .env("XDG_RUNTIME_DIR", folder.path("run"))
            .env_remove("RUSM_CONTROL_TOKEN")
            .env_remove("RUSM_OBSERVE_TOKEN");
        Run {
            folder,
            command,
            stdin: Vec::new(),
        }
    }

    pub(crate) fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Run {
        self.folder.write(name, bytes);
        self
    }

    /// Makes a symbolic link in the folder.
    pub(crate) fn link(self, target: &str, name: &str) -> Run {
        std::os::unix::fs::symlink(target, self.folder.path(name)).expect("the folder is writable");
        self
    }

    /// Adds arguments; several in one text are parted by spaces.
    pub(crate) fn args(mut self, words: &str) -> Run {
        self.command.args(words.split_whitespace());
        self
    }

    pub(crate) fn arg(mut self, word: impl AsRef<std::ffi::OsStr>) -> Run {
        self.command.arg(word);
        self
    }

    /// Sets a variable of `rusm` itself.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Run {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Run {
        self.stdin = bytes.as_ref().to_vec();
        self
    }

    /// Runs to the end, with the input given and closed.
    pub(crate) fn ends(self) -> Ended {
        let input = self.stdin.clone();
        let mut running = self.starts();
        let mut stdin = running.stdin.take().expect("it was just started");
        let feeder = thread::spawn(move || {
            // A program that does not read its input is no fault.
            let _ = stdin.write_all(&input);
        });
        let ended = running.ends();
        feeder.join().expect("the feeder does not panic");
        ended
    }

    /// Runs to the end and checks the status.
    pub(crate) fn status(self, status: i32) -> Ended {
        self.ends().status(status)
    }

    /// Runs on, with the input open.
    pub(crate) fn starts(mut self) -> Running {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self
            .command
            .spawn()
            .expect("the binary was built for this test");
        let (said, stdout) = channel();
        let (told, stderr_pieces) = channel();
        let out = child.stdout.take().expect("it is piped");
        Running {
            stderr: Some(collect(child.stderr.take().expect("it is piped"), told)),
            stderr_pieces,
            collector: Some(collect(out, said)),
            stdin: child.stdin.take(),
            stdout,
            child,
            folder: Some(self.folder),
            begun: Instant::now(),
        }
    }
}

/// Reads to the end, passing each piece on to whoever listens.
fn collect(
    mut pipe: impl Read + Send + 'static,
    pieces: std::sync::mpsc::Sender<Vec<u8>>,
) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            all.extend_from_slice(&buffer[..length]);
            let _ = pieces.send(buffer[..length].to_vec());
        }
        all
    })
}

/// Listens until `text` has come; all that has.
fn hear(pieces: &Receiver<Vec<u8>>, text: &str) -> String {
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains(text) {
        let piece = pieces.recv_timeout(RUN_TIME_MAX);
        heard.extend(piece.unwrap_or_else(|_| {
            panic!(
                "it never said `{text}`, only `{}`",
                String::from_utf8_lossy(&heard)
            )
        }));
    }
    String::from_utf8_lossy(&heard).into_owned()
}

/// A run that goes on. Dropped, it is killed.
pub(crate) struct Running {
    child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    stdout: Receiver<Vec<u8>>,
    stderr_pieces: Receiver<Vec<u8>>,
    collector: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    folder: Option<Folder>,
    begun: Instant,
}

impl Running {
    /// Waits until the program has printed `text`.
    pub(crate) fn says(self, text: &str) -> Running {
        hear(&self.stdout, text);
        self
    }

    /// Waits until `text` has come on stderr; what stands behind it in its line.
    pub(crate) fn tells(&self, text: &str) -> String {
        let mut heard = hear(&self.stderr_pieces, text);
        let begin = heard.find(text).expect("it was heard") + text.len();
        while !heard[begin..].contains('\n') {
            let piece = self.stderr_pieces.recv_timeout(RUN_TIME_MAX);
            heard += &String::from_utf8_lossy(&piece.expect("the line ends"));
        }
        heard[begin..].lines().next().unwrap_or_default().to_owned()
    }

    /// The folder it was started in.
    pub(crate) fn folder(&self) -> &Folder {
        self.folder.as_ref().expect("it has not ended")
    }

    /// Sends a signal, named as for `kill -s`.
    pub(crate) fn signal(self, name: &str) -> Running {
        let kill = format!("kill -s {name} {}", self.child.id());
        let sent = Command::new("sh")
            .args(["-c", &kill])
            .status()
            .expect("there is a shell");
        assert!(sent.success(), "`{kill}` failed");
        self
    }

    /// Sends several signals as fast as a shell can, whether or not the first was enough.
    pub(crate) fn signals(self, names: &str) -> Running {
        let pid = self.child.id();
        let kill = format!("for name in {names}; do kill -s $name {pid}; done");
        let _ = Command::new("sh")
            .args(["-c", &kill])
            .stderr(Stdio::null())
            .status()
            .expect("there is a shell");
        self
    }

    /// The threads of the process that run, as the system names them; none where it does not tell.
    pub(crate) fn threads(&self) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let names = tasks
            .into_iter()
            .flatten()
            .flatten()
            .map(|task| fs::read_to_string(task.path().join("comm")));
        names.flatten().map(|name| name.trim().to_owned()).collect()
    }

    /// Waits for the end.
    pub(crate) fn ends(mut self) -> Ended {
        let status = self.wait();
        let text = |pipe: Option<JoinHandle<Vec<u8>>>| {
            let bytes = pipe
                .expect("it ends once")
                .join()
                .expect("the collector does not panic");
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Ended {
            status,
            took: self.begun.elapsed(),
            stdout: text(self.collector.take()),
            stderr: text(self.stderr.take()),
            folder: self.folder.take().expect("it ends once"),
        }
    }

    fn wait(&mut self) -> ExitStatus {
        // There is no waiting with a limit in the standard library; the end is looked for instead.
        while self.begun.elapsed() < RUN_TIME_MAX {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            thread::sleep(Duration::from_millis(2));
        }
        panic!("it hangs");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came of a run. Each check gives it back for the next.
pub(crate) struct Ended {
    status: ExitStatus,
    took: Duration,
    stdout: String,
    stderr: String,
    pub(crate) folder: Folder,
}

impl Ended {
    #[track_caller]
    pub(crate) fn status(self, status: i32) -> Ended {
        assert_eq!(
            self.status.code(),
            Some(status),
            "{}{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The status of the process, unless a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// All that came on stderr.
    pub(crate) fn errors(&self) -> &str {
        &self.stderr
    }

    /// All that came on stdout.
    pub(crate) fn text(&self) -> &str {
        &self.stdout
    }

    #[track_caller]
    pub(crate) fn stdout(self, text: &str) -> Ended {
        assert_eq!(self.stdout, text, "{}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn stdout_has(self, part: &str) -> Ended {
        assert!(
            self.stdout.contains(part),
            "no `{part}` in:\n{}",
            self.stdout
        );
        self
    }

    #[track_caller]
    pub(crate) fn stderr(self, text: &str) -> Ended {
        assert_eq!(self.stderr, text);
        self
    }

    /// `part` is on stderr, and only once.
    #[track_caller]
    pub(crate) fn stderr_has(self, part: &str) -> Ended {
        assert_eq!(
            self.stderr.matches(part).count(),
            1,
            "`{part}` should be once in:\n{}",
            self.stderr
        );
        self
    }

    /// One sentence of ours, so one line: no backtrace, no second report, no word of a panic.
    #[track_caller]
    pub(crate) fn stderr_is_one_line(self) -> Ended {
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert!(
            matches!(lines[..], [line] if line.starts_with("rusm: ") && !line.contains("panic")),
            "{}",
            self.stderr
        );
        self
    }

    #[track_caller]
    pub(crate) fn took_at_least(self, time: Duration) -> Ended {
        assert!(self.took >= time, "it took {:?}", self.took);
        self
    }

    #[track_caller]
    pub(crate) fn took_at_most(self, time: Duration) -> Ended {
        assert!(self.took <= time, "it took {:?}", self.took);
        self
    }
}
