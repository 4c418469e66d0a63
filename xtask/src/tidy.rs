//! The tidy test: the rules of the house that no compiler knows. Each rule is one file below; it is given the files of
//! the repository and says what breaks it. Rules of taste are not written down here.

mod crates;
mod decisions;
mod dependencies;
mod files;
mod leaks;
mod links;
mod markdown;
mod named;
mod source;
mod words;

use std::{fmt, path::Path};

use crate::metadata::own_packages;

/// A place that breaks a rule, and what to do there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    /// From 1; zero where the whole file is meant.
    line: usize,
    message: String,
}

impl Finding {
    /// Of a whole file.
    pub(crate) fn at(path: &str, message: impl Into<String>) -> Self {
        Self::line(path, 0, message)
    }

    /// Of one line, counted from 1.
    pub(crate) fn line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(formatter, "{}: {}", self.path, self.message),
            line => write!(formatter, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// Everything in the repository that breaks a rule, by place.
pub(crate) fn tidy(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let tree = files::Tree::read(root)?;
    let packages = own_packages(root)?;
    let mut findings = source::check(&tree);
    findings.extend(crates::check(&tree, &packages));
    findings.extend(dependencies::check(&tree, &packages));
    findings.extend(words::check(&tree));
    findings.extend(links::check(&tree));
    findings.extend(named::check(&tree));
    findings.extend(leaks::check(&tree));
    findings.extend(decisions::check(&tree));
    findings.sort();
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn the_house_is_tidy() {
        let found = tidy(&crate::root().unwrap()).unwrap();
        let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert!(
            found.is_empty(),
            "{} found by the tidy test:\n{}",
            lines.len(),
            lines.join("\n")
        );
    }
}
