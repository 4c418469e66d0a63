//! The cage holds: what a child tries is refused, what it dies of costs one frame, and what it says is checked.
//!
//! This program is parent and child: with the argument `worker` it serves a decoder that misbehaves on request.

use std::fs::File;
use std::net::UdpSocket;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use arno_codecs::cage::{Cage, Limits, serve};
use arno_codecs::{Codec, Colour, DecodeError, Decoder as _, FrameFormat, Layout, Samples, decode};

const WORKER: &str = "worker";

/// One sample, so that a misbehaving decoder can say yes or no.
const ANSWER: FrameFormat = FrameFormat {
    rows: 1,
    columns: 1,
    samples_per_pixel: 1,
    bits_allocated: 8,
    colour: Colour::Other,
};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(WORKER) {
        return serve(misbehave);
    }
    let tests: [(&str, fn()); 7] = [
        ("frames are decoded", frames_are_decoded),
        (
            "what a child tries is refused",
            what_a_child_tries_is_refused,
        ),
        (
            "a frame that kills its child costs one frame",
            a_killer_costs_one_frame,
        ),
        ("a frame that hangs times out", a_hanging_frame_times_out),
        (
            "false answers are not believed",
            false_answers_are_not_believed,
        ),
        ("children serve many threads", children_serve_many_threads),
        (
            "a program that is no child is named",
            a_program_that_is_no_child_is_named,
        ),
    ];
    for (name, test) in tests {
        test();
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

/// What a decoder that was taken over might do; anything else is decoded.
fn misbehave(codec: Codec, format: &FrameFormat, bytes: &[u8]) -> Result<Samples, DecodeError> {
    let refused = match bytes {
        b"open" => File::open("/etc/hostname").is_err(),
        b"create" => File::create("/tmp/arno-cage-test").is_err(),
        b"socket" => UdpSocket::bind("127.0.0.1:0").is_err(),
        b"run" => Command::new("/bin/true").status().is_err(),
        b"thread" => std::thread::Builder::new().spawn(|| ()).is_err(),
        b"memory" => Vec::<u8>::new().try_reserve_exact(3 << 30).is_err(),
        b"secrets" => std::env::vars_os().next().is_none(),
        b"abort" => std::process::abort(),
        b"panic" => panic!("on request"),
        b"hang" => loop {
            std::hint::spin_loop();
        },
        b"long" => return Ok(samples(vec![0; 9])),
        b"short" => return Ok(samples(Vec::new())),
        _ => return decode(codec, format, bytes),
    };
    Ok(samples(vec![u8::from(refused)]))
}

fn samples(bytes: Vec<u8>) -> Samples {
    Samples {
        bytes,
        layout: Layout::Interleaved,
        colour: Colour::Other,
    }
}

fn cage(frame_time: Duration) -> Cage {
    let limits = Limits {
        workers: 2,
        frame_time,
        ..Limits::default()
    };
    // As a node names itself: the program that runs, whatever has become of its file.
    let running = std::path::PathBuf::from("/proc/self/exe");
    let program = if running.exists() {
        running
    } else {
        std::env::current_exe().expect("a program")
    };
    Cage::new(program, vec![WORKER.into()], limits)
}

const PATIENT: Duration = Duration::from_secs(60);

fn ask(cage: &Cage, request: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let samples = cage.decode(Codec::Rle, &ANSWER, request)?;
    Ok(samples.bytes)
}

/// One segment (PS3.5 annex G) that says a sample once.
fn rle(sample: u8) -> Vec<u8> {
    let mut frame = vec![0; 64];
    (frame[0], frame[4]) = (1, 64);
    frame.extend_from_slice(&[0, sample]);
    frame
}

fn frames_are_decoded() {
    let cage = cage(PATIENT);
    assert_eq!(cage.idle(), 0, "nothing is started before it is needed");
    for sample in [7, 200] {
        assert_eq!(ask(&cage, &rle(sample)), Ok(vec![sample]));
    }
    assert_eq!(cage.idle(), 1, "one child served both");
    assert_eq!(ask(&cage, b"no RLE"), Err(DecodeError::Damaged));
    assert_eq!(ask(&cage, &rle(1)), Ok(vec![1]));
}

fn what_a_child_tries_is_refused() {
    let cage = cage(PATIENT);
    assert_eq!(ask(&cage, b"secrets"), Ok(vec![1]));
    let fences = cage.fences().expect("a child has started");
    if !fences.seccomp || !fences.limits {
        println!("this system has no seccomp or no limits ({fences:?}); nothing more can be shown");
        return;
    }
    for request in ["open", "create", "socket", "run", "thread", "memory"] {
        assert_eq!(ask(&cage, request.as_bytes()), Ok(vec![1]), "{request}");
    }
}

fn a_killer_costs_one_frame() {
    let cage = cage(PATIENT);
    for killer in ["abort", "panic"] {
        assert_eq!(ask(&cage, &rle(1)), Ok(vec![1]));
        assert_eq!(
            ask(&cage, killer.as_bytes()),
            Err(DecodeError::Crashed),
            "{killer}"
        );
        assert_eq!(ask(&cage, &rle(2)), Ok(vec![2]), "after {killer}");
    }
}

fn a_hanging_frame_times_out() {
    let limit_ms = 5_000;
    // Enough for starting a child on a machine under load, where the same limit holds.
    let cage = cage(Duration::from_millis(limit_ms));
    let started = Instant::now();
    let outcome = ask(&cage, b"hang");
    assert_eq!(outcome, Err(DecodeError::TimedOut { limit_ms }));
    assert!(started.elapsed() < PATIENT);
    assert_eq!(ask(&cage, &rle(3)), Ok(vec![3]));
}

fn false_answers_are_not_believed() {
    let cage = cage(PATIENT);
    for request in ["long", "short"] {
        assert_eq!(
            ask(&cage, request.as_bytes()),
            Err(DecodeError::Crashed),
            "{request}"
        );
        assert_eq!(cage.idle(), 0, "its child is gone");
    }
    assert_eq!(ask(&cage, &rle(4)), Ok(vec![4]));
}

fn children_serve_many_threads() {
    let cage = cage(PATIENT);
    std::thread::scope(|scope| {
        for sample in 0..8 {
            let cage = &cage;
            scope.spawn(move || {
                for _ in 0..20 {
                    assert_eq!(ask(cage, &rle(sample)), Ok(vec![sample]));
                }
            });
        }
    });
    assert!((1..=2).contains(&cage.idle()));
}

fn a_program_that_is_no_child_is_named() {
    let start = |program: &str| {
        let cage = Cage::new(program.into(), Vec::new(), Limits::default());
        ask(&cage, &rle(1))
    };
    for program in ["/bin/true", "/no/such/program"] {
        assert!(
            matches!(start(program), Err(DecodeError::NotStarted(_))),
            "{program}"
        );
    }
}
