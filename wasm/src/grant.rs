//! What a process may do beyond computing and answering: nothing, unless it was granted.
//!
//! A [`Profile`] is written down (`[capabilities.NAME]` of rusm.toml) or built in. A process holds
//! [`Grants`]: one profile, or several of which each must allow what is done. Narrowing adds a
//! profile, so it cannot widen, whatever that profile says. Checks say no with a [`Refusal`]; they
//! decide nothing else and wait for nothing.
//!
//! Sending needs no grant, as in Erlang: who knows a pid may write to it.

mod inherit;
mod kin;
mod limits;
mod net;
mod pattern;
mod profile;
mod quota;
mod refusal;
mod words;

use std::net::SocketAddr;
use std::sync::Arc;

pub use inherit::{ProfileError, Profiles};
pub use kin::{GENERATIONS_MAX, Relation};
pub use limits::{CpuPolicy, CpuRate, Limits};
pub use net::{NetPattern, NetPatternError, RESOLVED_MAX, Resolved};
pub use pattern::{PATTERN_BYTES_MAX, Pattern, PatternError, RESERVED_PREFIX};
pub use profile::{
    Access, BUILT_IN, BucketGrant, DEFAULT_PROFILE, DirGrant, LogLevel, Origin, Profile,
    ProfileChanges, Reach, StdioGrant,
};
pub use quota::{QUOTAS_DEEP_MAX, Quota};
pub use refusal::Refusal;
pub use words::Word;

use refusal::quoted;

/// What a process may do. A pointer: cheap to clone and to keep in every store. Checks cost tens of
/// nanoseconds, more only where lists are long.
#[derive(Clone, Debug)]
pub struct Grants(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Each of these must allow what is done. There is at least one, and no two are equal.
    profiles: Vec<Arc<Profile>>,
    limits: Limits,
    dirs: Vec<DirGrant>,
}

impl Grants {
    /// What one profile grants.
    pub fn new(profile: impl Into<Arc<Profile>>) -> Self {
        let profile = profile.into();
        Self(Arc::new(Inner {
            limits: profile.limits.clone(),
            dirs: profile.dirs.clone(),
            profiles: vec![profile],
        }))
    }

    /// What these and also `profile` grant: never more than these.
    #[must_use]
    pub fn narrowed(&self, profile: &Arc<Profile>) -> Self {
        let Inner {
            profiles,
            limits,
            dirs,
        } = &*self.0;
        // Who narrows again and again by the same does not pile them up.
        if profiles.contains(profile) {
            return self.clone();
        }
        let mut profiles = profiles.clone();
        profiles.push(profile.clone());
        Self(Arc::new(Inner {
            limits: limits.meet(&profile.limits),
            dirs: meet_dirs(dirs, &profile.dirs),
            profiles,
        }))
    }

    /// The same with smaller limits, where `limits` are smaller: never larger ones.
    #[must_use]
    pub fn with_limits(&self, limits: &Limits) -> Self {
        let limits = self.0.limits.meet(limits);
        if limits == self.0.limits {
            return self.clone();
        }
        Self(Arc::new(Inner {
            profiles: self.0.profiles.clone(),
            limits,
            dirs: self.0.dirs.clone(),
        }))
    }

    /// Are these the same grants, not only equal ones?
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How much of what runs out.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The directories to open for it.
    pub fn dirs(&self) -> &[DirGrant] {
        &self.0.dirs
    }

    /// The standard streams it may use.
    pub fn stdio(&self) -> StdioGrant {
        let all = |stream: fn(&StdioGrant) -> bool| self.profiles().all(|p| stream(&p.stdio));
        StdioGrant {
            stdin: all(|stdio| stdio.stdin),
            stdout: all(|stdio| stdio.stdout),
            stderr: all(|stdio| stdio.stderr),
        }
    }

    /// The name of the profile it began with, for reports.
    pub fn profile(&self) -> &Arc<str> {
        &self.0.profiles[0].name
    }

    fn profiles(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.0.profiles.iter()
    }

    /// Refuses with the first profile that does not allow it.
    fn each(&self, check: impl Fn(&Profile) -> Result<(), Refusal>) -> Result<(), Refusal> {
        self.profiles().try_for_each(|profile| check(profile))
    }

    /// The refusal of one more process than the `max` that it and those it starts may be.
    pub fn full(&self, max: u32) -> Refusal {
        let limit = |p: &&Arc<Profile>| p.limits.processes_max <= max;
        let profile = self.profiles().find(limit).unwrap_or(&self.0.profiles[0]);
        let what = format!("be more than {max} processes with those it starts");
        let more = max.saturating_add(1).to_string();
        Refusal::new(profile, what, "processes", &more)
    }

    /// May it see this variable of the node's environment?
    pub fn may_env(&self, key: &str) -> Result<(), Refusal> {
        self.each(|p| named(p, "env", &p.env, key, "see the variable", Pattern::matches))
    }

    /// May it use the network at all: is there anything it may connect to or listen on?
    pub fn may_use_network(&self) -> Result<(), Refusal> {
        self.each(|p| {
            if p.connect.is_empty() && p.listen.is_empty() {
                let what = "use the network".to_string();
                return Err(Refusal::new(p, what, "connect", "[\"HOST:PORT\"]"));
            }
            Ok(())
        })
    }

    /// May it look this name up? What comes of it is to be kept for [`Grants::may_connect`].
    pub fn may_resolve(&self, name: &str) -> Result<(), Refusal> {
        self.each(|p| {
            if p.connect.iter().any(|pattern| pattern.means_name(name)) {
                return Ok(());
            }
            let what = format!("look up {}", quoted(name));
            let missing = quoted(&format!("{name}:*"));
            Err(Refusal::entry(
                p,
                what,
                "connect",
                quoted_all(&p.connect),
                missing,
            ))
        })
    }

    /// May it connect to this address, or send datagrams there? `resolved`: what it has looked up.
    pub fn may_connect(&self, to: SocketAddr, resolved: &Resolved) -> Result<(), Refusal> {
        let allows =
            |pattern: &NetPattern| pattern.means(to.ip(), to.port(), resolved.names(to.ip()));
        self.each(|p| address(p, "connect", &p.connect, "connect to", to, allows))
    }

    /// May it listen, or wait for datagrams, on this address of the machine? Port 0 is any free one.
    pub fn may_listen(&self, on: SocketAddr) -> Result<(), Refusal> {
        let allows = |pattern: &NetPattern| pattern.means(on.ip(), on.port(), std::iter::empty());
        self.each(|p| address(p, "listen", &p.listen, "listen on", on, allows))
    }

    /// May it read keys of this bucket?
    pub fn may_read_bucket(&self, bucket: &str) -> Result<(), Refusal> {
        self.each(|p| in_bucket(p, bucket, Access::Read))
    }

    /// May it write keys of this bucket?
    pub fn may_write_bucket(&self, bucket: &str) -> Result<(), Refusal> {
        self.each(|p| in_bucket(p, bucket, Access::ReadWrite))
    }

    /// May it start this component?
    pub fn may_spawn(&self, component: &str) -> Result<(), Refusal> {
        self.each(|p| named(p, "spawn", &p.spawn, component, "start", Pattern::matches))
    }

    /// May it take this name, or free it when it is somebody else's?
    pub fn may_register(&self, name: &str) -> Result<(), Refusal> {
        let (what, means) = ("take or free the name", Pattern::matches_unreserved);
        self.each(|p| named(p, "register", &p.register, name, what, means))
    }

    /// May it join this group?
    pub fn may_join(&self, group: &str) -> Result<(), Refusal> {
        let (what, means) = ("join the group", Pattern::matches_unreserved);
        self.each(|p| named(p, "join", &p.join, group, what, means))
    }

    /// May it end the members of this group, whoever they are?
    pub fn may_kill_group(&self, group: &str) -> Result<(), Refusal> {
        let (what, means) = ("end the group", Pattern::matches_unreserved);
        self.each(|p| named(p, "kill-groups", &p.kill_groups, group, what, means))
    }

    /// May it end, or send an exit signal to, a process? `name`: the one that is registered.
    pub fn may_kill(&self, who: &Relation, name: Option<&str>) -> Result<(), Refusal> {
        self.each(|p| reaches(p, "kill", &p.kill, "end", who, name))
    }

    /// May it see a process in lists?
    pub fn may_list(&self, who: &Relation, name: Option<&str>) -> Result<(), Refusal> {
        self.each(|p| reaches(p, "list", &p.list, "list", who, name))
    }

    /// May it ask for the state of a process?
    pub fn may_inspect(&self, who: &Relation, name: Option<&str>) -> Result<(), Refusal> {
        self.each(|p| reaches(p, "inspect", &p.inspect, "look into", who, name))
    }

    /// May it compile code at run time?
    pub fn may_load_modules(&self) -> Result<(), Refusal> {
        self.each(|p| {
            let refusal = || Refusal::new(p, "compile code".into(), "modules", "true");
            p.modules.then_some(()).ok_or_else(refusal)
        })
    }

    /// May it write a line of this level to the log?
    pub fn may_log(&self, level: LogLevel) -> Result<(), Refusal> {
        self.each(|p| {
            let refusal = || {
                let word = format!("\"{}\"", level.word());
                Refusal::new(p, format!("log at level {word}"), "log", &word)
            };
            let allowed = p.log.is_some_and(|quietest| level <= quietest);
            allowed.then_some(()).ok_or_else(refusal)
        })
    }
}

fn quoted_all<T: ToString>(entries: &[T]) -> impl Iterator<Item = String> {
    entries.iter().map(|entry| quoted(&entry.to_string()))
}

fn named(
    profile: &Profile,
    key: &'static str,
    list: &[Pattern],
    name: &str,
    what: &str,
    means: fn(&Pattern, &str) -> bool,
) -> Result<(), Refusal> {
    if list.iter().any(|pattern| means(pattern, name)) {
        return Ok(());
    }
    let (what, missing) = (format!("{what} {}", quoted(name)), quoted(name));
    Err(Refusal::entry(
        profile,
        what,
        key,
        quoted_all(list),
        missing,
    ))
}

fn address(
    profile: &Profile,
    key: &'static str,
    list: &[NetPattern],
    what: &str,
    address: SocketAddr,
    means: impl Fn(&NetPattern) -> bool,
) -> Result<(), Refusal> {
    if list.iter().any(means) {
        return Ok(());
    }
    let what = format!("{what} {address}");
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    Err(Refusal::entry(
        profile,
        what,
        key,
        quoted_all(list),
        quoted(&address.to_string()),
    ))
}

fn in_bucket(profile: &Profile, bucket: &str, access: Access) -> Result<(), Refusal> {
    let means = |grant: &BucketGrant| grant.access >= access && grant.bucket.matches(bucket);
    if profile.kv.iter().any(means) {
        return Ok(());
    }
    let in_toml = |bucket: &str, access: Access| {
        let (bucket, access) = (quoted(bucket), access.word());
        format!("{{ bucket = {bucket}, access = \"{access}\" }}")
    };
    let verb = match access {
        Access::Read => "read",
        Access::ReadWrite => "write",
    };
    let what = format!("{verb} the bucket {}", quoted(bucket));
    let listed = profile
        .kv
        .iter()
        .map(|grant| in_toml(grant.bucket.as_str(), grant.access));
    Err(Refusal::entry(
        profile,
        what,
        "kv",
        listed,
        in_toml(bucket, access),
    ))
}

fn reaches(
    profile: &Profile,
    key: &'static str,
    list: &[Reach],
    what: &str,
    who: &Relation,
    name: Option<&str>,
) -> Result<(), Refusal> {
    let in_reach = |reach: &Reach| match reach {
        Reach::All => true,
        Reach::Children => matches!(who, Relation::Child),
        Reach::Descendants => matches!(who, Relation::Child | Relation::Descendant),
        Reach::Named(pattern) => name.is_some_and(|name| pattern.matches_unreserved(name)),
    };
    if matches!(who, Relation::Itself) || list.iter().any(in_reach) {
        return Ok(());
    }
    let (whom, missing) = match (name, who) {
        (Some(name), _) => (quoted(name), quoted(&format!("name:{name}"))),
        (None, Relation::Child) => ("a process it started".into(), quoted("children")),
        (None, Relation::Descendant) => ("a process below it".into(), quoted("descendants")),
        (None, _) => ("a process of others".into(), quoted("all")),
    };
    let what = format!("{what} {whom}");
    Err(Refusal::entry(
        profile,
        what,
        key,
        quoted_all(list),
        missing,
    ))
}

/// The directories that lie in one of each list, each with what both allow.
fn meet_dirs(these: &[DirGrant], those: &[DirGrant]) -> Vec<DirGrant> {
    let mut met: Vec<DirGrant> = Vec::new();
    for this in these {
        for that in those {
            let inner = match () {
                () if this.host.starts_with(&that.host) => this,
                () if that.host.starts_with(&this.host) => that,
                () => continue,
            };
            let grant = DirGrant {
                access: this.access.min(that.access),
                ..inner.clone()
            };
            match met
                .iter_mut()
                .find(|met| met.host == grant.host && met.guest == grant.guest)
            {
                Some(met) => met.access = met.access.max(grant.access),
                None => met.push(grant),
            }
        }
    }
    met
}

#[cfg(test)]
mod tests;
