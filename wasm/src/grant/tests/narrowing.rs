//! Narrowing never widens: tried on random profiles, with all that can be asked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use rusm_actor::{MailboxLimit, MailboxPolicy};

use super::{addr, hosts, patterns};
use crate::grant::*;

prop_compose! {
    fn any_limits()(
        numbers in (0..4u64, 0..4u32, 0..4u32, 0..6u8),
        cpu in proptest::option::of((1..200u64, 1..4u64, any::<bool>())),
    ) -> Limits {
        Limits {
                memory_bytes_max: numbers.0,
                tables_max: numbers.1,
                processes_max: numbers.2,
                mailbox: (numbers.3 < 5).then(|| MailboxLimit {
                    messages_max: numbers.3.into(),
                    policy: MailboxPolicy::Refuse,
                }),
                cpu: cpu.map(|(time, times, kill)| CpuRate {
                    time_max: Duration::from_millis(time),
                    every: Duration::from_millis(time * times),
                    over: if kill { CpuPolicy::Kill } else { CpuPolicy::Throttle },
                }),
                cpu_total_max: cpu.map(|(time, ..)| Duration::from_secs(time)),
                ..Limits::none()
            }
    }
}

prop_compose! {
    fn any_profile()(
        env in some(&["A", "B", "*", "A*"]),
        spawn in some(&["a", "b", "*", "rusm.*"]),
        register in some(&["a", "*", "rusm.*", "b*"]),
        connect in some(&["*:*", "10.0.0.0/8:*", "a.b:80", "*:80", "10.1.0.0/16:1-90"]),
        listen in some(&["*:*", "127.0.0.1:1-90", "[::1]:80"]),
        dirs in proptest::collection::vec(((0..6usize), any::<bool>()), 0..4),
        kv in proptest::collection::vec(((0..3usize), any::<bool>()), 0..3),
        reaches in proptest::collection::vec(0..5usize, 0..3),
        limits in any_limits(),
        flags in (any::<bool>(), any::<bool>(), 0..6usize),
    ) -> Profile {
        let access = |write| if write { Access::ReadWrite } else { Access::Read };
        let hosts_at = ["/", "/a", "/a/b", "/a/b/c", "/b", "/ab"];
        let reach = |n: &usize| match n {
            0 => Reach::Children,
            1 => Reach::Descendants,
            2 => Reach::All,
            3 => Reach::Named(Pattern::new("a*").unwrap()),
            _ => Reach::Named(Pattern::any()),
        };
        let reaches: Vec<Reach> = reaches.iter().map(reach).collect();
        Profile {
            name: "random".into(),
            limits,
            env: patterns(&env),
            connect: hosts(&connect),
            listen: hosts(&listen),
            dirs: dirs.into_iter().map(|(at, write)| DirGrant {
                host: PathBuf::from(hosts_at[at]),
                guest: format!("/g{at}"),
                access: access(write),
            }).collect(),
            kv: kv.into_iter().map(|(at, write)| BucketGrant {
                bucket: Pattern::new(["a", "b", "*"][at]).unwrap(),
                access: access(write),
            }).collect(),
            spawn: patterns(&spawn),
            register: patterns(&register),
            join: patterns(&register),
            kill: reaches.clone(),
            list: reaches.clone(),
            inspect: reaches,
            kill_groups: patterns(&spawn),
            modules: flags.0,
            stdio: StdioGrant { stdin: flags.0, stdout: flags.1, stderr: flags.0 && flags.1 },
            log: LogLevel::ALL.get(flags.2).map(|(_, level)| *level),
            ..Profile::sandboxed()
        }
    }
}

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(of, 0..=of.len())
}

/// All that can be asked, each with its answer.
fn answers(grants: &Grants) -> Vec<(String, bool)> {
    let mut all = Vec::new();
    let mut known = Resolved::default();
    known.note("a.b", [addr("9.9.9.9:0").ip()]);
    for name in ["A", "B", "AB", "a", "b", "ab", "a.b", "rusm.a", "10.1.2.3"] {
        let mut note = |what: &str, answer: Result<(), Refusal>| {
            all.push((format!("{what} {name}"), answer.is_ok()));
        };
        note("env", grants.may_env(name));
        note("resolve", grants.may_resolve(name));
        note("read", grants.may_read_bucket(name));
        note("write", grants.may_write_bucket(name));
        note("spawn", grants.may_spawn(name));
        note("register", grants.may_register(name));
        note("join", grants.may_join(name));
        note("kill group", grants.may_kill_group(name));
        for who in [Relation::Child, Relation::Descendant, Relation::Stranger] {
            note(&format!("kill {who:?}"), grants.may_kill(&who, Some(name)));
            note(&format!("list {who:?}"), grants.may_list(&who, None));
            note(
                &format!("inspect {who:?}"),
                grants.may_inspect(&who, Some(name)),
            );
        }
    }
    for to in [
        "9.9.9.9:80",
        "10.1.0.1:80",
        "10.2.0.1:99",
        "127.0.0.1:80",
        "[::1]:80",
        "0.0.0.0:0",
    ] {
        all.push((
            format!("connect {to}"),
            grants.may_connect(addr(to), &known).is_ok(),
        ));
        all.push((format!("listen {to}"), grants.may_listen(addr(to)).is_ok()));
    }
    for (word, level) in LogLevel::ALL {
        all.push((format!("log {word}"), grants.may_log(*level).is_ok()));
    }
    let stdio = grants.stdio();
    let streams = [stdio.stdin, stdio.stdout, stdio.stderr];
    all.extend(streams.map(|stream| ("stdio".to_string(), stream)));
    all.push(("modules".into(), grants.may_load_modules().is_ok()));
    for path in ["/", "/a", "/a/b", "/a/b/c", "/b", "/ab", "/c"] {
        for access in [Access::Read, Access::ReadWrite] {
            let opens =
                |dir: &DirGrant| dir.access >= access && Path::new(path).starts_with(&dir.host);
            all.push((
                format!("open {path} {access:?}"),
                grants.dirs().iter().any(opens),
            ));
        }
    }
    all
}

fn share(rate: Option<CpuRate>) -> f64 {
    rate.map_or(f64::INFINITY, |rate| {
        rate.time_max.as_secs_f64() / rate.every.as_secs_f64()
    })
}

proptest! {
    #[test]
    fn narrowing_grants_exactly_what_both_grant(one in any_profile(), other in any_profile()) {
        let (wide, with) = (Grants::new(one), Arc::new(other));
        let narrow = wide.narrowed(&with);
        let asked = answers(&wide).into_iter().zip(answers(&Grants::new(with.clone())));
        for (((what, wide), (_, with)), (_, narrow)) in asked.zip(answers(&narrow)) {
            prop_assert_eq!(narrow, wide && with, "{}", what);
        }
        let (w, n, by) = (wide.limits(), narrow.limits(), &with.limits);
        for limits in [w, by] {
            prop_assert!(n.memory_bytes_max <= limits.memory_bytes_max);
            prop_assert!(n.tables_max <= limits.tables_max);
            prop_assert!(n.processes_max <= limits.processes_max);
            let messages = |limits: &Limits| limits.mailbox.map_or(usize::MAX, |m| m.messages_max);
            prop_assert!(messages(n) <= messages(limits));
            prop_assert!(share(n.cpu) <= share(limits.cpu) + 1e-6);
            let total = |limits: &Limits| limits.cpu_total_max.unwrap_or(Duration::MAX);
            prop_assert!(total(n) <= total(limits));
        }
        let limited = wide.with_limits(by);
        prop_assert_eq!(limited.limits(), narrow.limits());
        prop_assert_eq!(answers(&limited.narrowed(&with)), answers(&narrow));
    }
}
