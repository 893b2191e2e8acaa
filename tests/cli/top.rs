//! `rusm top` and `rusm attach` on a terminal: keys go in, screens come out, and the terminal is given back as it was.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::fake_node::{FakeNode, HELLO};
use super::node::{empty_node, sleepers};
use super::run::Folder;

const PATIENCE: Duration = Duration::from_secs(60);

/// A program on a terminal of its own.
struct OnTerminal {
    child: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
    /// Our own hold of its end, to look how it is.
    terminal: File,
}

impl OnTerminal {
    fn start(words: &[&str], folder: &Folder) -> OnTerminal {
        let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("it is ours");
        unlockpt(&master).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let name = name.into_string().expect("it is text");
        let open = || {
            let mut options = File::options();
            options.read(true).write(true).open(&name).expect("its end")
        };
        let terminal = open();
        let size = Winsize {
            ws_row: 30,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&terminal, size).expect("it has a size");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rusm"));
        command.args(words).env("TERM", "xterm");
        command.env_remove("RUSM_CONTROL_TOKEN");
        for (variable, name) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_RUNTIME_DIR", "run"),
            ("XDG_STATE_HOME", "state"),
        ] {
            command.env(variable, folder.path(name));
        }
        let child = command
            .stdin(Stdio::from(open()))
            .stdout(Stdio::from(open()))
            .stderr(Stdio::from(open()))
            .spawn()
            .expect("the binary was built for this test");
        let (tell, screen) = channel();
        let keys = File::from(master);
        let mut read = keys.try_clone().expect("there are descriptors");
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = read.read(&mut bytes) {
                let _ = tell.send(bytes[..length].to_vec());
            }
        });
        OnTerminal {
            child,
            keys,
            screen,
            seen: String::new(),
            terminal,
        }
    }

    /// Waits until `text` is on the screen, after what was waited for before.
    fn shows(&mut self, text: &str) -> &mut OnTerminal {
        let begun = Instant::now();
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return self;
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            let piece = self.screen.recv_timeout(left);
            let piece = piece.unwrap_or_else(|_| panic!("no `{text}` in {:?}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&piece));
        }
    }

    fn press(&mut self, keys: &str) -> &mut OnTerminal {
        self.keys.write_all(keys.as_bytes()).expect("it listens");
        self
    }

    fn is_raw(&self) -> bool {
        let modes = tcgetattr(&self.terminal).expect("it is a terminal");
        !modes
            .local_modes
            .contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Waits for its end.
    fn ends(&mut self) -> Option<i32> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status.code();
            }
            thread::yield_now();
        }
        panic!("it hangs");
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const LEAVES: &str = "\x1b[?25h\x1b[?1049l";

#[test]
fn keys_rank_filter_look_and_kill_and_the_terminal_is_given_back() {
    let (node, _) = sleepers();
    let mut top = OnTerminal::start(&["top"], node.folder());
    top.shows("\x1b[?1049h")
        .shows("woken to run")
        .shows("by reductions");
    assert!(top.is_raw());
    top.press("m").shows("by memory");
    top.press("/residents\r").shows("3 of 3 that match");
    top.press("\r").shows("started at").shows("priority");
    top.press("q").shows("Enter look");
    top.press("K").shows("? y/n").press("y").shows("is killed");
    top.press("q").shows(LEAVES);
    assert_eq!(top.ends(), Some(0));
    assert!(!top.is_raw());
    node.signal("INT").ends().status(130);
}

#[test]
fn another_size_another_screen() {
    let (node, _) = empty_node();
    let mut top = OnTerminal::start(&["top"], node.folder());
    top.shows("q quit");
    let size = Winsize {
        ws_row: 10,
        ws_col: 40,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&top.terminal, size).expect("it has a size");
    // Cut where the screen ends.
    top.shows("~\x1b[K\r");
    top.press("\x03").shows(LEAVES);
    assert_eq!(top.ends(), Some(0));
}

#[test]
fn the_terminal_is_given_back_after_a_signal_and_when_the_node_is_lost() {
    let (node, at) = empty_node();
    let mut top = OnTerminal::start(&["top", &at], node.folder());
    top.shows("q quit");
    let kill = format!("kill -s TERM {}", top.child.id());
    let sent = Command::new("sh").args(["-c", &kill]).status();
    assert!(sent.expect("there is a shell").success());
    top.shows(LEAVES);
    assert_eq!(top.ends(), Some(143));
    assert!(!top.is_raw());
    let mut top = OnTerminal::start(&["top", &at], node.folder());
    top.shows("q quit");
    node.signal("KILL").ends();
    top.shows(LEAVES).shows("lost the node at");
    assert_eq!(top.ends(), Some(1));
    assert!(!top.is_raw());
}

#[test]
fn lines_are_typed_completed_and_kept() {
    let (node, at) = empty_node();
    let mut attach = OnTerminal::start(&["attach"], node.folder());
    attach.shows(&at).shows("rusm> ");
    // What is typed before there is a prompt again is lost.
    attach.press("gro\t\r").shows("none").shows("rusm> ");
    attach
        .press("detail on\r")
        .shows("detail is on")
        .shows(" turns so far");
    attach
        .press("detail off\r")
        .shows("detail is off")
        .shows("rusm> ");
    attach.press("\x04");
    assert_eq!(attach.ends(), Some(0));
    let history = node.folder().read("state/rusm/attach-history");
    assert!(history.contains("groups"), "{history}");
    assert!(!attach.is_raw());
}

#[test]
fn a_warning_is_told_while_somebody_types() {
    let warning = r#"{"type":"warning","at":1,"kind":"mailbox","subject":"<0.1.2>","active":true,"since":1,"evidence":"5000 messages wait\u001b[2J"}"#;
    let done = |id| format!(r#"{{"type":"done","id":{id},"result":null}}"#);
    let names = r#"{"type":"snapshot","at":1,"section":"names","total":0,"items":[]}"#;
    let wasm = r#"{"type":"snapshot","at":1,"section":"wasm","total":0,"items":[]}"#;
    let first = [HELLO, &done(1), names, &done(2), wasm];
    let watched = [HELLO, &done(1), warning];
    let node = FakeNode::start_many(&[&first, &watched]);
    let mut attach = OnTerminal::start(&["attach", &node.at], &Folder::new());
    // What is typed before there is a prompt is lost, and the warning may come before the first one.
    attach
        .shows("warning mailbox: 5000 messages wait\u{fffd}[2J")
        .shows("rusm> ");
    attach.press("\x04");
    assert_eq!(attach.ends(), Some(0));
}
