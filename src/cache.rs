//! Where compiled programs are kept between runs; what is kept, and whether it may be trusted, is the engine's to say.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folder for compiled programs, if this user has a place for one.
///
/// `RUSM_CACHE_DIR` names it outright, and switches the cache off when it is empty. Else it is where
/// the system keeps such things: `$XDG_CACHE_HOME/rusm`, `~/.cache/rusm`, or `~/Library/Caches/rusm`.
pub(crate) fn directory(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(named) = variable("RUSM_CACHE_DIR") {
        return (!named.is_empty()).then(|| named.into());
    }
    // The XDG standard says to disregard a relative path, and a relative home is no better.
    let absolute = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let caches = if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Caches"))
    } else {
        absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))
    };
    caches.map(|caches| caches.join("rusm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory_with(variables: &[(&str, &str)]) -> Option<PathBuf> {
        directory(|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.into())
        })
    }

    #[test]
    fn our_own_variable_wins_and_empty_means_no_cache() {
        assert_eq!(
            directory_with(&[("RUSM_CACHE_DIR", "x"), ("HOME", "/h")]),
            Some("x".into())
        );
        assert_eq!(
            directory_with(&[("RUSM_CACHE_DIR", ""), ("HOME", "/h")]),
            None
        );
    }

    #[test]
    fn without_a_home_there_is_no_cache() {
        assert_eq!(directory_with(&[]), None);
        assert_eq!(directory_with(&[("HOME", "h")]), None);
    }

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn the_system_says_where_caches_are() {
        assert_eq!(
            directory_with(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")]),
            Some("/c/rusm".into())
        );
        assert_eq!(
            directory_with(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")]),
            Some("/h/.cache/rusm".into())
        );
    }
}
