//! From `[capabilities.NAME]` to the changes of a profile.

use std::time::Duration;

use rusm_actor::{MailboxLimit, MailboxPolicy};
use rusm_wasm::grant::{
    Access, BucketGrant, CpuPolicy, CpuRate, DirGrant, LogLevel, NetPattern, NetPatternError,
    Pattern, ProfileChanges, Reach, StdioGrant, Word,
};

use super::read::Table;

/// The period of a CPU budget that names none.
const CPU_PERIOD: Duration = Duration::from_secs(1);
/// A shorter period is nothing that a tick of a millisecond can measure.
const CPU_PERIOD_MIN: Duration = Duration::from_millis(10);

/// What one profile says, as far as it makes sense.
pub(super) fn changes(table: &Table) -> ProfileChanges {
    let number = |key| table.count(key).map(|(count, _)| count as u32);
    ProfileChanges {
        extends: table.text("extends").map(|(name, _)| name.to_owned()),
        memory_bytes_max: table.size("memory").map(|(bytes, _)| bytes),
        tables_max: number("tables"),
        table_elements_max: number("table-elements"),
        processes_max: number("processes"),
        mailbox: table.table("mailbox").as_ref().and_then(mailbox),
        cpu: table.table("cpu").as_ref().and_then(cpu),
        cpu_total_max: table.time("cpu-total").map(|(time, _)| time),
        dirs: dirs(table),
        env: patterns(table, "env"),
        connect: hosts(table, "connect", NetPattern::connect),
        listen: hosts(table, "listen", NetPattern::listen),
        kv: buckets(table),
        spawn: patterns(table, "spawn"),
        register: patterns(table, "register"),
        join: patterns(table, "join"),
        kill: reaches(table, "kill"),
        list: reaches(table, "list"),
        inspect: reaches(table, "inspect"),
        kill_groups: patterns(table, "kill-groups"),
        modules: table.flag("modules"),
        stdio: table.words("stdio").map(|streams| StdioGrant {
            stdin: streams.contains(&"stdin"),
            stdout: streams.contains(&"stdout"),
            stderr: streams.contains(&"stderr"),
        }),
        log: table.word("log").map(|(word, _)| LogLevel::from_word(word)),
    }
}

fn mailbox(table: &Table) -> Option<MailboxLimit> {
    let policy = meaning(table, "over").unwrap_or(MailboxPolicy::ShedNewest);
    let messages = needed(table, "messages", table.count("messages"))?;
    Some(MailboxLimit {
        messages_max: messages.try_into().unwrap_or(usize::MAX),
        policy,
    })
}

fn cpu(table: &Table) -> Option<CpuRate> {
    let over = meaning(table, "over").unwrap_or(CpuPolicy::Throttle);
    let every = match table.time("every") {
        Some((every, span)) if every < CPU_PERIOD_MIN => {
            table.wrong(
                "every",
                &span,
                "is shorter than 10ms, which cannot be measured",
            );
            CPU_PERIOD_MIN
        }
        Some((every, _)) => every,
        None => CPU_PERIOD,
    };
    let time_max = needed(table, "time", table.time("time"))?;
    if time_max.is_zero() {
        let (_, span) = table.time("time")?;
        table.wrong("time", &span, "is nothing, and nothing would run");
    }
    Some(CpuRate {
        time_max,
        every,
        over,
    })
}

/// What a word that the schema knows means.
fn meaning<T: Word>(table: &Table, key: &str) -> Option<T> {
    table.word(key).and_then(|(word, _)| T::from_word(word))
}

/// The value of a key without which the table makes no sense.
fn needed<T>(table: &Table, key: &str, read: Option<(T, std::ops::Range<usize>)>) -> Option<T> {
    if read.is_none() && !table.has(key) {
        table.missing(key);
    }
    read.map(|(value, _)| value)
}

fn dirs(table: &Table) -> Option<Vec<DirGrant>> {
    let tables = table.tables("dirs")?;
    let mut dirs: Vec<DirGrant> = Vec::new();
    for dir in tables {
        let written = dir.text("path").map(|(text, _)| text);
        let guest = dir.text("as");
        let access = meaning(&dir, "access").unwrap_or(Access::Read);
        let Some(host) = needed(&dir, "path", dir.path("path")) else {
            continue;
        };
        let (guest, span) = guest
            .or_else(|| Some((written?, dir.span())))
            .unwrap_or_default();
        if guest.is_empty() {
            dir.wrong("as", &span, "is empty");
        } else if dirs.iter().any(|known| known.guest == guest) {
            dir.wrong("as", &span, "is already the name of another directory");
        }
        dirs.push(DirGrant {
            host,
            guest: guest.to_owned(),
            access,
        });
    }
    Some(dirs)
}

fn buckets(table: &Table) -> Option<Vec<BucketGrant>> {
    let grant = |table: Table| {
        let access = meaning(&table, "access").unwrap_or(Access::Read);
        let read = table.text("bucket");
        let span = read.clone().map(|(_, span)| span).unwrap_or_default();
        match Pattern::new(needed(&table, "bucket", read)?) {
            Ok(bucket) => Some(BucketGrant { bucket, access }),
            Err(why) => {
                table.wrong("bucket", &span, &format!("is no pattern, {why}"));
                None
            }
        }
    };
    Some(table.tables("kv")?.into_iter().filter_map(grant).collect())
}

fn patterns(table: &Table, key: &str) -> Option<Vec<Pattern>> {
    each(table, key, |text| {
        Pattern::new(text).map_err(|why| format!("holds no pattern, {why}"))
    })
}

fn hosts(
    table: &Table,
    key: &str,
    read: fn(&str) -> Result<NetPattern, NetPatternError>,
) -> Option<Vec<NetPattern>> {
    each(table, key, |text| {
        read(text).map_err(|why| format!("makes no sense, {why}"))
    })
}

fn reaches(table: &Table, key: &str) -> Option<Vec<Reach>> {
    let listed = "says nothing that is known. There are \"children\", \"descendants\", \
                  \"name:PATTERN\" and \"all\"";
    each(table, key, |text| match Reach::from_text(text) {
        Ok(Some(reach)) => Ok(reach),
        Ok(None) => Err(listed.to_owned()),
        Err(why) => Err(format!("holds no pattern, {why}")),
    })
}

fn each<T>(table: &Table, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<Vec<T>> {
    let one = |(text, span): (&str, std::ops::Range<usize>)| match read(text) {
        Ok(value) => Some(value),
        Err(why) => {
            table.wrong(key, &span, &why);
            None
        }
    };
    Some(table.texts(key)?.into_iter().filter_map(one).collect())
}
