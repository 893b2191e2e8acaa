//! Every scenario once, on two workers and briefly: that it runs, counts and stops.

use super::*;

/// Two workers, so that a big machine does not change what is run; and more time where a
/// loaded one did not come to do anything.
fn check(name: &str, more: &[(&str, &str)]) -> Report {
    for secs in ["0.05", "0.5", "5"] {
        let report = once(name, secs, more);
        if report.value > 0.0 {
            return report;
        }
    }
    panic!("{name} {more:?} did nothing in five seconds");
}

fn once(name: &str, secs: &str, more: &[(&str, &str)]) -> Report {
    let env = env(name, secs, more);
    let report =
        (env.scenario.run)(&env).unwrap_or_else(|failure| panic!("{name} {more:?}: {failure}"));
    // What is told on the way is what is reported, whatever the choices; warming up is told, too.
    if let Some(progress) = env.watch.progress() {
        assert_eq!(progress.unit, report.unit, "{name} {more:?}");
        assert!(progress.done() >= report.count, "{name} {more:?}");
    }
    report
}

fn env(name: &str, secs: &str, more: &[(&str, &str)]) -> Env {
    let scenario = find(name).unwrap();
    let settings: Vec<_> = [("secs", secs), ("workers", "2")]
        .iter()
        .chain(scenario.small)
        .chain(more)
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    Env::new(scenario, &settings).unwrap()
}

#[test]
fn what_is_told_on_the_way_adds_up_to_what_is_reported() {
    for (name, more) in [
        ("ping-pong", &[("pairs", "3")][..]),
        ("call-storm", &[("clients", "3")]),
        ("timers", &[("n", "6464")]),
        ("registry-churn", &[]),
        ("fault-monitor", &[]),
        ("fault-recovery", &[]),
        ("tcp-echo", &[]),
        ("connection-storm", &[]),
        ("kv-storm", &[("op", "get")]),
        ("spawn-hold", &[]),
        ("kill-spinner", &[]),
        ("wasm-ping-pong", &[]),
        ("stream-pipe", &[("kind", "wasm")]),
        ("stream-pipe", &[("kind", "native"), ("chunk", "1000")]),
        ("crypto-ops", &[("guests", "3")]),
        ("fairness-mixed", &[]),
    ] {
        let env = env(name, "0.05", more);
        let report = (env.scenario.run)(&env).unwrap();
        let told = env.watch.progress().unwrap().done();
        assert_eq!(told, report.count, "{name} {more:?}");
    }
}

#[test]
fn names_and_workloads_are_unique_and_either_finds_the_scenario() {
    for (index, scenario) in ALL.iter().enumerate() {
        assert_eq!(find(scenario.name).unwrap().name, scenario.name);
        let found = find_workload(scenario.workload).unwrap();
        assert_eq!(found.name, scenario.name);
        let names = |other: &&&Scenario| other.name == scenario.name;
        assert_eq!(ALL.iter().filter(names).count(), 1, "{index}");
    }
    assert_eq!(find("ping_pong").unwrap().name, "ping-pong");
    assert_eq!(find("fairness").unwrap().name, "fairness");
    assert_eq!(find_workload("fairness").unwrap().name, "fairness-native");
    assert!(find("nonsense").is_err() && find_workload("nonsense").is_err());
}

#[test]
fn no_choice_hides_a_field_of_the_configuration() {
    for scenario in ALL {
        for choice in scenario.choices {
            assert!(
                !rusm_sched::Config::fields().contains(&choice.name),
                "`{}` of `{}`",
                choice.name,
                scenario.name
            );
        }
    }
}

#[test]
fn a_storm_counts_the_same_way_in_the_bodies_and_on_the_node() {
    for count in ["node", "body"] {
        let report = check("spawn-storm", &[("count", count)]);
        assert!(report.figure("peak_alive").unwrap() > 0.0);
    }
}

#[test]
fn a_storm_runs_under_every_profile() {
    for profile in crate::profile::PROFILES {
        check("spawn-storm", &[("profile", profile.name)]);
    }
}

#[test]
fn bare_tasks_come_and_go() {
    check("spawn-bare", &[]);
}

#[test]
fn held_processes_all_park_and_all_leave() {
    let report = check("spawn-hold", &[]);
    assert_eq!(report.figure("n"), Some(2000.0));
    assert!(report.figure("stops_per_s").unwrap() > 0.0);
}

#[test]
fn messages_go_back_and_forth_in_one_pair_and_in_many() {
    for pairs in ["1", "16"] {
        let report = check("ping-pong", &[("pairs", pairs)]);
        assert!(report.figure("p99_us").unwrap() > 0.0);
    }
}

#[test]
fn tokens_go_round_the_ring() {
    for tokens in ["1", "10"] {
        check("ring", &[("tokens", tokens)]);
    }
}

#[test]
fn many_producers_fill_one_mailbox() {
    check("fan-in", &[]);
}

#[test]
fn one_publisher_reaches_every_subscriber() {
    check("fan-out", &[]);
}

#[test]
fn every_timer_fires_and_none_is_early_by_a_whole_run() {
    let report = check("timers", &[]);
    assert!(report.figure("max_us").unwrap() < 10e6);
}

#[test]
fn a_ticker_goes_on_beside_hogs_of_either_kind() {
    check("fairness-native", &[]);
    let report = check("fairness-native", &[("kind", "reductions"), ("hogs", "8")]);
    assert!(report.figure("kept_pct").unwrap() > 0.0);
}

#[test]
fn a_ticker_goes_on_beside_looping_guests() {
    let report = check("fairness-wasm", &[]);
    assert!(report.figure("kept_pct").unwrap() > 0.0);
}

#[test]
fn bystanders_of_every_kind_of_hog_wake_here_and_the_model_of_fifo_ends_in_time() {
    for kind in ["native", "guest", "reductions"] {
        let report = check(
            "fairness",
            &[("kind", kind), ("hogs", "2"), ("secs", "1.5")],
        );
        for figure in ["rusm_jain", "rusm_hog_turns_per_s", "fifo_hog_turns_per_s"] {
            assert!(report.figure(figure).unwrap() > 0.0, "{kind} {figure}");
        }
    }
}

#[test]
fn a_load_goes_on_while_somebody_looks() {
    for load in ["spawns", "messages"] {
        for view in ["ticks", "table", "metrics"] {
            let more = [("load", load), ("view", view), ("waiting", "1000")];
            let report = check("observer-overhead", &more);
            assert!(report.figure("kept_pct").unwrap() > 0.0);
        }
    }
}

#[test]
fn sockets_echo_and_reset() {
    check("tcp-echo", &[]);
    check("connection-storm", &[]);
}

#[test]
fn modules_come_and_go_below_their_cap() {
    let report = check("module-storm", &[]);
    // Two spawners may see the same room for their batches.
    assert!(report.figure("peak_alive").unwrap() <= 900.0 + 2.0 * 16.0);
    assert_eq!(report.figure("failed"), Some(0.0));
}

#[test]
fn durable_writes_count_each_change_once_and_reads_find_them() {
    for op in ["modify", "cas", "set", "get"] {
        for recovery in ["scan", "quick"] {
            let report = check("kv-storm", &[("op", op), ("recovery", recovery)]);
            assert!(report.figure("commits_per_s").unwrap() > 0.0);
        }
    }
    check("kv-storm", &[("op", "get"), ("cache", "0")]);
}

#[test]
fn components_and_commands_come_and_go_like_modules() {
    for name in ["component-storm", "command-storm"] {
        let report = check(name, &[]);
        assert_eq!(report.figure("failed"), Some(0.0), "{name}");
    }
}

#[test]
fn guests_beyond_the_pools_all_park_and_all_leave() {
    let report = check("wasm-hold", &[]);
    assert_eq!(report.figure("n"), Some(2000.0));
    assert_eq!(report.figure("refused"), Some(0.0));
    assert!(report.figure("stops_per_s").unwrap() > 0.0);
}

#[test]
fn guests_bounce_messages_in_one_pair_and_in_many() {
    for pairs in ["1", "8"] {
        let report = check("wasm-ping-pong", &[("pairs", pairs)]);
        assert!(report.figure("p99_us").is_some());
    }
}

#[test]
fn sleepers_and_hogs_of_every_priority_get_their_share() {
    // Those that go last have a turn every 32nd time.
    let report = check("fairness-mixed", &[("secs", "2")]);
    for figure in ["high_p99_us", "normal_p99_us", "low_p99_us"] {
        assert!(report.figure(figure).unwrap() > 0.0, "{figure}");
    }
}

#[test]
fn spinning_guests_end_when_they_are_killed() {
    for beside in ["0", "3"] {
        let report = check("kill-spinner", &[("beside", beside)]);
        assert!(report.figure("p99_us").unwrap() > 0.0);
    }
}

#[test]
fn calls_and_messages_of_a_guest_take_time() {
    let report = check("host-call", &[]);
    for figure in ["ns_per_call", "ns_per_send_64", "ns_per_receive_64"] {
        assert!(report.figure(figure).unwrap() > 0.0, "{figure}");
    }
}

#[test]
fn each_program_runs_with_and_without_means_to_stop_it() {
    let report = check("preempt-cost", &[]);
    for program in ["tight", "fib", "sieve"] {
        for means in ["rusm", "epoch", "fuel"] {
            assert!(report.figure(&format!("{program}_{means}_pct")).unwrap() > 0.0);
        }
    }
}

#[test]
fn every_module_is_compiled_once_and_found_once() {
    let report = check("dynamic-wasm", &[]);
    assert!(report.figure("cache_hits").unwrap() >= 1.0);
    assert!(report.figure("hot_p50_us") < report.figure("cold_p50_us"));
}

#[test]
fn bytes_stream_and_guests_hash_seal_and_sign() {
    for kind in ["wasm", "native"] {
        let more = [("kind", kind), ("pairs", "2"), ("chunk", "3000")];
        check("stream-pipe", &more);
    }
    for op in "sha256 sha512 hmac seal open sign verify random".split(' ') {
        let report = check("crypto-ops", &[("op", op), ("size", "100")]);
        assert!(report.figure("bytes_per_s").unwrap() > 0.0, "{op}");
    }
}

#[test]
fn a_choice_with_a_wrong_value_is_refused_in_words() {
    for (name, key, value) in [
        ("spawn-storm", "count", "fingers"),
        ("spawn-storm", "profile", "huge"),
        ("spawn-storm", "state", "7"),
        ("fairness-native", "kind", "lazy"),
        ("kv-storm", "op", "guess"),
        ("stream-pipe", "kind", "paper"),
        ("crypto-ops", "op", "rot13"),
        ("observer-overhead", "hz", "61"),
        ("observer-overhead", "view", "aside"),
        ("fairness", "kind", "lazy"),
        ("fairness", "hogs", "101"),
        ("fairness", "sleep_us", "1000001"),
        ("fairness", "priority", "royal"),
        ("kv-storm", "recovery", "never"),
    ] {
        let scenario = find(name).unwrap();
        let settings = [(key.to_string(), value.to_string())];
        let outcome = (scenario.run)(&Env::new(scenario, &settings).unwrap());
        let text = outcome.unwrap_err().to_string();
        assert!(text.contains(value), "{text}");
    }
}
