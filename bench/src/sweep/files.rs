//! Where a sweep is written to, as the command line says.

use std::path::PathBuf;

use super::{Plan, Sweep, figures, html, svg, table};
use crate::args::Args;
use crate::failure::Failure;

/// What can be written, each as a whole.
type Form = fn(&Sweep) -> String;

/// The files that are wanted.
pub(super) struct Files {
    whole: Vec<(PathBuf, Form)>,
    /// What the names of the plots' files begin with.
    plots: Option<String>,
}

impl Files {
    /// Takes what is about files out of the settings.
    pub(super) fn of(args: &mut Args) -> Self {
        let forms: [(&str, Form); 3] = [
            ("csv", table::csv),
            ("json", table::json),
            ("html", html::page),
        ];
        let wanted = forms.map(|(key, form)| Some((PathBuf::from(args.take(key)?), form)));
        Files {
            whole: wanted.into_iter().flatten().collect(),
            plots: args.take("svg"),
        }
    }

    /// A file that cannot be written is better found out now than after the last run.
    pub(super) fn touch(&self, plan: &Plan) -> Result<(), Failure> {
        let whole = self.whole.iter().map(|(path, _)| path.clone());
        for path in whole.chain(self.plot_paths(plan)) {
            put(path, String::new())?;
        }
        Ok(())
    }

    pub(super) fn write(&self, sweep: &Sweep) -> Result<(), Failure> {
        for (path, form) in &self.whole {
            put(path.clone(), form(sweep))?;
        }
        let figures = figures::of(&sweep.plan);
        for (path, figure) in self.plot_paths(&sweep.plan).into_iter().zip(&figures) {
            put(path, svg::draw(sweep, figure))?;
        }
        Ok(())
    }

    fn plot_paths(&self, plan: &Plan) -> Vec<PathBuf> {
        let Some(prefix) = &self.plots else {
            return Vec::new();
        };
        let figures = figures::of(plan).into_iter();
        figures
            .map(|figure| format!("{prefix}{}.svg", figure.name).into())
            .collect()
    }
}

fn put(path: PathBuf, text: String) -> Result<(), Failure> {
    std::fs::write(&path, text)
        .map_err(|why| Failure::Usage(format!("cannot write `{}`: {why}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::super::tests::made_up;
    use super::*;

    #[test]
    fn every_file_that_was_asked_for_is_written_and_one_that_cannot_be_is_named() {
        let dir = std::env::temp_dir().join(format!("rusm-bench-files-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let at = |name: &str| dir.join(name).display().to_string();
        let mut args = Args::parse([
            format!("html={}", at("page.html")),
            format!("csv={}", at("rows.csv")),
            format!("svg={}", at("plot-")),
        ]);
        let files = Files::of(&mut args);
        assert!(args.settings.is_empty());
        let sweep = made_up("pairs=1,2 repeats=1 warmup=0");
        files.touch(&sweep.plan).unwrap();
        files.write(&sweep).unwrap();
        let read = |name| std::fs::read_to_string(at(name)).unwrap();
        assert!(read("page.html").starts_with("<!doctype html>"));
        assert!(read("rows.csv").starts_with("pairs,"));
        assert!(read("plot-line-pairs.svg").starts_with("<svg "));
        std::fs::remove_dir_all(&dir).unwrap();
        let text = files.touch(&sweep.plan).unwrap_err().to_string();
        assert!(text.contains("rows.csv"), "{text}");
    }
}
