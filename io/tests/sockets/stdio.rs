//! Standard streams, tried on pipes and files that a test may own.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::AsFd;
use std::pin::pin;
use std::task::{Context, Waker};

use crate::support::{join, run, wait};
use rusm_io::stdio::{Input, Output, stderr, stdin, stdout};

#[test]
fn input_from_a_pipe_is_waited_for_and_read_to_its_end() {
    for workers in [1, 2] {
        run(workers, |_| async {
            let (reader, mut writer) = std::io::pipe().unwrap();
            let mut input = Input::new(reader.as_fd()).unwrap();
            let mut bytes = [0; 4];
            {
                let mut read = pin!(input.read(&mut bytes));
                let mut cx = Context::from_waker(Waker::noop());
                assert!(
                    read.as_mut().poll(&mut cx).is_pending(),
                    "nothing is there yet"
                );
            }
            // Six bytes, read in fours: the second read gets no edge of its own.
            writer.write_all(b"abcdef").unwrap();
            assert_eq!(input.read(&mut bytes).await.unwrap(), 4);
            assert_eq!(&bytes, b"abcd");
            assert_eq!(input.read(&mut bytes).await.unwrap(), 2);
            assert_eq!(&bytes[..2], b"ef");
            drop(writer);
            assert_eq!(input.read(&mut bytes).await.unwrap(), 0);
        });
    }
}

#[test]
fn output_to_a_pipe_waits_for_its_reader() {
    const BYTES: usize = 1 << 20;
    run(2, |_| async {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut output = Output::new(writer.as_fd()).unwrap();
        let written = join(&rusm_sched::handle(), async move {
            output.write_all(&vec![7; BYTES]).await.unwrap();
            drop(writer);
        });
        let mut bytes = Vec::new();
        let read = move || reader.read_to_end(&mut bytes).map(|_| bytes);
        let bytes = rusm_sched::blocking::run(read).await.unwrap().unwrap();
        assert_eq!(bytes, vec![7; BYTES]);
        wait(written).await;
    });
}

/// The flag belongs to the open file, which is shared with whoever passed it on.
#[cfg(target_os = "linux")]
#[test]
fn the_flags_of_a_stream_stay_as_they_are() {
    use std::os::fd::AsRawFd;

    fn flags(fd: &impl AsRawFd) -> String {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd()));
        let line = |text: String| {
            text.lines()
                .find(|l| l.starts_with("flags"))
                .map(str::to_owned)
        };
        line(info.unwrap()).unwrap()
    }
    run(1, |_| async {
        let (reader, writer) = std::io::pipe().unwrap();
        let before = (flags(&reader), flags(&writer));
        let mut input = Input::new(reader.as_fd()).unwrap();
        let mut output = Output::new(writer.as_fd()).unwrap();
        output.write_all(b"x").await.unwrap();
        input.read(&mut [0]).await.unwrap();
        assert_eq!((flags(&reader), flags(&writer)), before);
    });
}

#[test]
fn files_are_read_and_written_although_they_cannot_be_polled() {
    run(1, |_| async {
        let path = std::env::temp_dir().join(format!("rusm-io-{}-file", std::process::id()));
        let mut file = File::options()
            .create_new(true)
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        std::fs::remove_file(&path).unwrap();
        let text = vec![b'z'; 200_000];
        Output::new(file.as_fd())
            .unwrap()
            .write_all(&text)
            .await
            .unwrap();
        file.rewind().unwrap();
        let mut input = Input::new(file.as_fd()).unwrap();
        let (mut bytes, mut back) = (vec![0; 100_000], Vec::new());
        while let count @ 1.. = input.read(&mut bytes).await.unwrap() {
            back.extend_from_slice(&bytes[..count]);
        }
        assert!(back == text);
    });
}

#[test]
fn the_standard_streams_can_be_opened_more_than_once() {
    run(1, |reactor| async move {
        for _ in 0..2 {
            let _streams = (stdin().unwrap(), stdout().unwrap(), stderr().unwrap());
            let mut again = (stdout().unwrap(), stderr().unwrap());
            again.0.write_all(b"").await.unwrap();
            again.1.write_all(b"").await.unwrap();
        }
        assert_eq!(reactor.stats().sources_live, 0);
    });
}
