//! Takes values out of the tables of a manifest. Each wrong one is noted and read as if it were not
//! there, so that one reading finds all mistakes.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::mistake::{Mistake, Mistakes, shown};
use super::schema::{Kind, ROOT, Section};
use super::units;
use crate::suggest::closest;

/// A value and where it stands.
pub(super) type At<T> = (T, Range<usize>);

/// The text of one manifest, and what is wrong with it so far.
pub(super) struct Reader<'a> {
    text: &'a str,
    dir: &'a Path,
    mistakes: RefCell<Vec<Mistake>>,
    /// Nothing of the text was lost to mistakes of its syntax.
    pub(super) whole: bool,
}

/// A table of the manifest, and the section that says what may be in it.
pub(super) struct Table<'a> {
    reader: &'a Reader<'a>,
    section: &'static Section,
    /// What messages call it, for example `[components.web]`.
    name: String,
    entries: &'a DeTable<'a>,
    span: Range<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, dir: &'a Path) -> Self {
        Self {
            text,
            dir,
            mistakes: RefCell::default(),
            whole: true,
        }
    }

    pub(super) fn mistake(&self, span: Range<usize>, text: impl Into<String>) {
        let mistake = Mistake::new(self.text, span, text.into());
        self.mistakes.borrow_mut().push(mistake);
    }

    pub(super) fn is_right(&self) -> bool {
        self.mistakes.borrow().is_empty()
    }

    pub(super) fn into_mistakes(self) -> Mistakes {
        Mistakes::new(self.mistakes.into_inner())
    }

    /// A path of the manifest, from where it stands.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        self.dir.join(text)
    }
}

impl<'a> Table<'a> {
    /// Looks at the keys: those that nobody knows are mistakes.
    pub(super) fn new(
        reader: &'a Reader<'a>,
        section: &'static Section,
        name: String,
        entries: &'a DeTable<'a>,
        span: Range<usize>,
    ) -> Self {
        for (key, _) in entries.iter() {
            // Behind a broken header lie keys of a table that nobody knows.
            let lost = !reader.whole && std::ptr::eq(section, &ROOT);
            if !lost && !section.keys.iter().any(|known| known.name == key.get_ref()) {
                let typed = shown(key.get_ref());
                let hint = match meant(section, key.get_ref()) {
                    Some(meant) => format!("Did you mean `{meant}`?"),
                    None => format!(
                        "There are `{}`.",
                        names(section).collect::<Vec<_>>().join("`, `")
                    ),
                };
                reader.mistake(
                    key.span(),
                    format!("there is no key `{typed}` in {name}. {hint}"),
                );
            }
        }
        Self {
            reader,
            section,
            name,
            entries,
            span,
        }
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(super) fn text(&self, key: &str) -> Option<At<&'a str>> {
        debug_assert!(matches!(
            self.kind(key),
            Kind::Text | Kind::Path | Kind::Word(_)
        ));
        self.string(key, "a text in quotes")
    }

    pub(super) fn path(&self, key: &str) -> Option<At<PathBuf>> {
        let (text, span) = self.text(key)?;
        if text.is_empty() || text.contains('\0') {
            self.wrong(key, &span, "is no path");
            return None;
        }
        Some((self.reader.path(text), span))
    }

    pub(super) fn size(&self, key: &str) -> Option<At<u64>> {
        debug_assert!(matches!(self.kind(key), Kind::Size));
        let (value, span) = self.value(key)?;
        match value {
            DeValue::Integer(number) => match whole(number.as_str(), number.radix()) {
                Some(bytes) => Some((bytes, span)),
                None => self.none(key, &span, "is not a number of bytes"),
            },
            DeValue::String(text) => match units::size(text) {
                Ok(bytes) => Some((bytes, span)),
                Err(why) => self.none(key, &span, &why),
            },
            other => self.mistyped(key, other, &span, "a size like \"64M\""),
        }
    }

    pub(super) fn time(&self, key: &str) -> Option<At<Duration>> {
        debug_assert!(matches!(self.kind(key), Kind::Time));
        let (text, span) = self.string(key, "a time like \"20ms\"")?;
        match units::time(text) {
            Ok(time) => Some((time, span)),
            Err(why) => self.none(key, &span, &why),
        }
    }

    pub(super) fn count(&self, key: &str) -> Option<At<u64>> {
        let Kind::Count { min, max } = self.kind(key) else {
            unreachable!("the schema says that `{key}` is counted")
        };
        let (value, span) = self.value(key)?;
        let DeValue::Integer(number) = value else {
            return self.mistyped(key, value, &span, "a number");
        };
        match whole(number.as_str(), number.radix()).filter(|count| (min..=max).contains(count)) {
            Some(count) => Some((count, span)),
            None => self.none(key, &span, &format!("is not a number from {min} to {max}")),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        debug_assert!(matches!(self.kind(key), Kind::Flag));
        match self.value(key)? {
            (DeValue::Boolean(flag), _) => Some(*flag),
            (other, span) => self.mistyped(key, other, &span, "`true` or `false`"),
        }
    }

    /// One of the words that the schema lists.
    pub(super) fn word(&self, key: &str) -> Option<At<&'static str>> {
        let Kind::Word(words) = self.kind(key) else {
            unreachable!("the schema says that `{key}` is a word")
        };
        let (text, span) = self.text(key)?;
        let word = self.one_of(key, words, text, &span)?;
        Some((word, span))
    }

    /// Some of the words that the schema lists.
    pub(super) fn words(&self, key: &str) -> Option<Vec<&'static str>> {
        let Kind::Words(words) = self.kind(key) else {
            unreachable!("the schema says that `{key}` is a list of words")
        };
        let texts = self.list(key, "a text in quotes")?;
        let known = |(text, span): At<&str>| self.one_of(key, words, text, &span);
        Some(texts.into_iter().filter_map(known).collect())
    }

    pub(super) fn texts(&self, key: &str) -> Option<Vec<At<&'a str>>> {
        debug_assert!(matches!(self.kind(key), Kind::Texts));
        self.list(key, "a text in quotes")
    }

    pub(super) fn text_map(&self, key: &str) -> Vec<(At<&'a str>, &'a str)> {
        debug_assert!(matches!(self.kind(key), Kind::TextMap));
        let entries = match self.value(key) {
            None => return Vec::new(),
            Some((DeValue::Table(entries), _)) => entries,
            Some((other, span)) => {
                self.mistyped::<()>(key, other, &span, "a table like { KEY = \"value\" }");
                return Vec::new();
            }
        };
        let pair = |(key, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| {
            let key: At<&'a str> = (AsRef::<str>::as_ref(key.get_ref()), key.span());
            match value.get_ref() {
                DeValue::String(text) => Some((key, &**text)),
                other => self.mistyped(key.0, other, &value.span(), "a text in quotes"),
            }
        };
        entries.iter().filter_map(pair).collect()
    }

    pub(super) fn table(&self, key: &str) -> Option<Table<'a>> {
        let Kind::Table(section) = self.kind(key) else {
            unreachable!("the schema says that `{key}` is a table")
        };
        match self.value(key)? {
            (DeValue::Table(entries), span) => {
                let name = self.inner_name(key);
                Some(Table::new(self.reader, section, name, entries, span))
            }
            (other, span) => self.mistyped(key, other, &span, "a table"),
        }
    }

    pub(super) fn tables(&self, key: &str) -> Option<Vec<Table<'a>>> {
        let Kind::Tables(section) = self.kind(key) else {
            unreachable!("the schema says that `{key}` is a list of tables")
        };
        let table = |(value, span): At<&'a DeValue<'a>>| match value {
            DeValue::Table(entries) => {
                let name = self.inner_name(key);
                Some(Table::new(self.reader, section, name, entries, span))
            }
            other => self.mistyped(key, other, &span, "a list of tables like { … }"),
        };
        let values = self.array(key, "a list of tables like [{ … }]")?;
        Some(values.into_iter().filter_map(table).collect())
    }

    /// The tables that the user has named, in the order of the file.
    pub(super) fn named(&self, key: &str) -> Vec<(At<&'a str>, Table<'a>)> {
        let Kind::Named(section) = self.kind(key) else {
            unreachable!("the schema says that `{key}` holds names")
        };
        let entries = match self.value(key) {
            None => return Vec::new(),
            Some((DeValue::Table(entries), _)) => entries,
            Some((other, span)) => {
                self.mistyped::<()>(key, other, &span, "tables with names");
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        for (name, value) in entries.iter() {
            let text: &'a str = AsRef::<str>::as_ref(name.get_ref());
            let table_name = format!("[{key}.{}]", shown(text));
            match value.get_ref() {
                DeValue::Table(entries) => {
                    let table = Table::new(self.reader, section, table_name, entries, name.span());
                    found.push(((text, name.span()), table));
                }
                other => {
                    self.mistyped::<()>(text, other, &value.span(), "a table");
                }
            }
        }
        found.sort_by_key(|((_, span), _)| span.start);
        found
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Notes that a key is not there that must be; unless it was meant by one that nobody knows.
    pub(super) fn missing(&self, key: &str) {
        let mut typed = self.entries.iter().map(|(typed, _)| typed.get_ref());
        if typed.any(|typed| meant(self.section, typed) == Some(key)) {
            return;
        }
        let text = format!("{} has no `{key}`. Write one.", self.name);
        self.reader.mistake(self.span(), text);
    }

    /// Notes that the value of a key makes no sense.
    pub(super) fn wrong(&self, key: &str, span: &Range<usize>, why: &str) {
        let value = shown(self.reader.text.get(span.clone()).unwrap_or_default());
        let text = format!("`{key}` in {} {why}: {value}.", self.name);
        self.reader.mistake(span.clone(), text);
    }

    fn none<T>(&self, key: &str, span: &Range<usize>, why: &str) -> Option<T> {
        self.wrong(key, span, why);
        None
    }

    fn mistyped<T>(
        &self,
        key: &str,
        value: &DeValue,
        span: &Range<usize>,
        wanted: &str,
    ) -> Option<T> {
        let (name, key) = (&self.name, shown(key));
        let is = value.type_str();
        let text = format!("`{key}` in {name} must be {wanted}, not of type {is}.");
        self.reader.mistake(span.clone(), text);
        None
    }

    fn one_of(
        &self,
        key: &str,
        words: &'static [&'static str],
        text: &str,
        span: &Range<usize>,
    ) -> Option<&'static str> {
        let found = words.iter().find(|word| **word == text);
        if found.is_none() {
            let hint = match closest(text, words.iter().copied()) {
                Some(meant) => format!("Did you mean \"{meant}\"?"),
                None => format!("There are \"{}\".", words.join("\", \"")),
            };
            let (name, text) = (&self.name, shown(text));
            let text = format!("`{key}` in {name} cannot be \"{text}\". {hint}");
            self.reader.mistake(span.clone(), text);
        }
        found.copied()
    }

    fn string(&self, key: &str, wanted: &str) -> Option<At<&'a str>> {
        match self.value(key)? {
            (DeValue::String(text), span) => Some((text, span)),
            (other, span) => self.mistyped(key, other, &span, wanted),
        }
    }

    fn list(&self, key: &str, wanted: &str) -> Option<Vec<At<&'a str>>> {
        let texts = |(value, span): At<&'a DeValue<'a>>| match value {
            DeValue::String(text) => Some((&**text, span)),
            other => self.mistyped(key, other, &span, wanted),
        };
        let values = self.array(key, "a list of texts like [\"a\", \"b\"]")?;
        Some(values.into_iter().filter_map(texts).collect())
    }

    fn array(&self, key: &str, wanted: &str) -> Option<Vec<At<&'a DeValue<'a>>>> {
        let array: &'a DeArray<'a> = match self.value(key)? {
            (DeValue::Array(array), _) => array,
            (other, span) => return self.mistyped(key, other, &span, wanted),
        };
        let values = array.iter();
        Some(
            values
                .map(|value| (value.get_ref(), value.span()))
                .collect(),
        )
    }

    fn value(&self, key: &str) -> Option<At<&'a DeValue<'a>>> {
        let mut entries = self.entries.iter();
        let (_, value) = entries.find(|(name, _)| name.get_ref() == key)?;
        Some((value.get_ref(), value.span()))
    }

    fn kind(&self, key: &str) -> Kind {
        let found = self.section.keys.iter().find(|known| known.name == key);
        found.expect("only keys of the schema are read").kind
    }

    fn inner_name(&self, key: &str) -> String {
        match self.name.strip_suffix(']') {
            Some(outer) => format!("{outer}.{key}]"),
            None => format!("[{key}]"),
        }
    }
}

fn names(section: &'static Section) -> impl Iterator<Item = &'static str> {
    section.keys.iter().map(|key| key.name)
}

fn meant(section: &'static Section, typed: &str) -> Option<&'static str> {
    closest(typed, names(section))
}

/// A number that is not negative, in any notation TOML has.
fn whole(digits: &str, radix: u32) -> Option<u64> {
    u64::from_str_radix(digits, radix).ok()
}
