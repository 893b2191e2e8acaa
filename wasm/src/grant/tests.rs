//! Every grant, allowed and refused.

use std::net::SocketAddr;

use super::*;

mod narrowing;

fn patterns(list: &[&str]) -> Vec<Pattern> {
    list.iter()
        .map(|text| Pattern::new(text).unwrap())
        .collect()
}

fn hosts(list: &[&str]) -> Vec<NetPattern> {
    list.iter()
        .map(|text| NetPattern::connect(text).unwrap())
        .collect()
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A profile with something of each kind.
fn app() -> Profile {
    Profile {
        name: "app".into(),
        origin: Origin::Manifest,
        env: patterns(&["LANG", "APP_*"]),
        connect: hosts(&["db.local:5432", "10.0.0.0/8:80"]),
        listen: vec![NetPattern::listen("127.0.0.1:8000-8010").unwrap()],
        kv: vec![
            BucketGrant {
                bucket: patterns(&["prices"]).remove(0),
                access: Access::Read,
            },
            BucketGrant {
                bucket: patterns(&["cart-*"]).remove(0),
                access: Access::ReadWrite,
            },
        ],
        spawn: patterns(&["worker"]),
        register: patterns(&["app.*"]),
        join: patterns(&["workers"]),
        kill: vec![
            Reach::Children,
            Reach::Named(Pattern::new("app.*").unwrap()),
        ],
        list: vec![Reach::Descendants],
        inspect: vec![Reach::All],
        kill_groups: patterns(&["workers"]),
        log: Some(LogLevel::Warn),
        ..Profile::sandboxed()
    }
}

/// `allowed` passes; `refused` does not, and the line it asks for is `line`.
#[track_caller]
fn check(allowed: Result<(), Refusal>, refused: Result<(), Refusal>, line: &str) {
    assert_eq!(allowed, Ok(()));
    let refusal = refused.unwrap_err();
    assert_eq!(refusal.line(), line);
    let said = refusal.to_string();
    let place = format!("write `{line}` under [capabilities.app] in rusm.toml.");
    assert!(
        said.starts_with("the profile `app` may not ") && said.ends_with(&place),
        "{said}"
    );
}

#[test]
fn each_grant_has_an_allowed_and_a_refused_case_that_names_the_line() {
    let app = Grants::new(app());
    let mut known = Resolved::default();
    known.note("db.local", [addr("1.2.3.4:0").ip()]);
    check(
        app.may_env("APP_X"),
        app.may_env("HOME"),
        r#"env = ["LANG", "APP_*", "HOME"]"#,
    );
    check(
        app.may_resolve("DB.local"),
        app.may_resolve("evil.com"),
        r#"connect = ["db.local:5432", "10.0.0.0/8:80", "evil.com:*"]"#,
    );
    check(
        app.may_connect(addr("1.2.3.4:5432"), &known),
        app.may_connect(addr("1.2.3.4:22"), &known),
        r#"connect = ["db.local:5432", "10.0.0.0/8:80", "1.2.3.4:22"]"#,
    );
    check(
        app.may_listen(addr("127.0.0.1:8010")),
        app.may_listen(addr("0.0.0.0:8010")),
        r#"listen = ["127.0.0.1:8000-8010", "0.0.0.0:8010"]"#,
    );
}

#[test]
fn names_buckets_and_the_rest_have_an_allowed_and_a_refused_case_too() {
    let app = Grants::new(app());
    let prices = r#"{ bucket = "prices", access = "read" }"#;
    let carts = r#"{ bucket = "cart-*", access = "read-write" }"#;
    check(
        app.may_read_bucket("prices"),
        app.may_read_bucket("secret"),
        &format!(r#"kv = [{prices}, {carts}, {{ bucket = "secret", access = "read" }}]"#),
    );
    check(
        app.may_write_bucket("cart-1"),
        app.may_write_bucket("prices"),
        &format!(r#"kv = [{prices}, {carts}, {{ bucket = "prices", access = "read-write" }}]"#),
    );
    check(
        app.may_spawn("worker"),
        app.may_spawn("root"),
        r#"spawn = ["worker", "root"]"#,
    );
    check(
        app.may_register("app.x"),
        app.may_register("x"),
        r#"register = ["app.*", "x"]"#,
    );
    check(
        app.may_join("workers"),
        app.may_join("x"),
        r#"join = ["workers", "x"]"#,
    );
    check(
        app.may_kill_group("workers"),
        app.may_kill_group("x"),
        r#"kill-groups = ["workers", "x"]"#,
    );
    check(
        app.may_log(LogLevel::Error),
        app.may_log(LogLevel::Info),
        r#"log = "info""#,
    );
    let modules = Grants::new(Profile {
        modules: true,
        ..super::Profile::sandboxed()
    });
    check(
        modules.may_load_modules(),
        app.may_load_modules(),
        "modules = true",
    );
}

#[test]
fn processes_are_reached_by_kinship_or_name() {
    use Relation::{Child, Descendant, Itself, Stranger};
    let app = Grants::new(app());
    let kill = |who, name| app.may_kill(&who, name);
    check(
        kill(Child, None),
        kill(Descendant, None),
        r#"kill = ["children", "name:app.*", "descendants"]"#,
    );
    check(
        kill(Stranger, Some("app.a")),
        kill(Stranger, Some("b")),
        r#"kill = ["children", "name:app.*", "name:b"]"#,
    );
    check(
        app.may_list(&Descendant, None),
        app.may_list(&Stranger, None),
        r#"list = ["descendants", "all"]"#,
    );
    assert_eq!(app.may_inspect(&Stranger, None), Ok(()));
    let nothing = Grants::new(Profile::sandboxed());
    assert_eq!(nothing.may_kill(&Itself, None), Ok(()));
    assert!(nothing.may_inspect(&Child, None).is_err());
}

#[test]
fn reserved_names_need_a_grant_that_says_so() {
    let trusted = Grants::new(Profile::trusted());
    assert!(trusted.may_register("anything").is_ok());
    assert!(trusted.may_register("rusm.observer").is_err());
    let own = Grants::new(Profile {
        register: patterns(&["rusm.*"]),
        ..Profile::trusted()
    });
    assert!(own.may_register("rusm.observer").is_ok());
}

#[test]
fn a_refusal_says_where_to_write_its_line() {
    let said = |profile| {
        Grants::new(profile)
            .may_spawn("\x1b[31m")
            .unwrap_err()
            .to_string()
    };
    let built_in = said(Profile::sandboxed());
    assert!(
        built_in.contains(r#"[capabilities.NAME] with `extends = "sandboxed"`"#),
        "{built_in}"
    );
    let by_hand = said(Profile {
        spawn: vec![],
        ..Profile::by_hand()
    });
    assert!(
        by_hand.contains("folder with a rusm.toml") && !by_hand.contains('\x1b'),
        "{by_hand}"
    );
}

#[test]
fn the_narrower_of_two_profiles_refuses_and_its_line_is_named() {
    let narrow: Arc<Profile> = Arc::new(Profile {
        name: "narrow".into(),
        ..app()
    });
    let both = Grants::new(Profile::trusted()).narrowed(&narrow);
    assert!(both.may_spawn("worker").is_ok());
    assert_eq!(both.may_spawn("x").unwrap_err().profile(), "narrow");
    assert_eq!(both.narrowed(&narrow).0.profiles.len(), 2);
    assert_eq!(both.limits().processes_max, 1);
    assert_eq!(&**both.profile(), "trusted");
}

#[test]
fn directories_meet_in_the_inner_one_with_the_smaller_right() {
    let dir = |host: &str, guest: &str, access| DirGrant {
        host: host.into(),
        guest: guest.into(),
        access,
    };
    let of = |dirs: &[DirGrant]| {
        Arc::new(Profile {
            dirs: dirs.to_vec(),
            ..Profile::trusted()
        })
    };
    use Access::{Read, ReadWrite};
    let wide = Grants::new(of(&[
        dir("/data", "/d", ReadWrite),
        dir("/etc", "/e", Read),
    ]));
    let inner = wide.narrowed(&of(&[
        dir("/data/a", "/a", Read),
        dir("/database", "/b", ReadWrite),
    ]));
    assert_eq!(inner.dirs(), [dir("/data/a", "/a", Read)]);
    let outer = wide.narrowed(&of(&[dir("/", "/", ReadWrite)]));
    assert_eq!(outer.dirs(), wide.dirs());
}
