//! SPDX licence expressions (SPDX 2.3 Annex D), as far as crates use them: AND, OR, WITH, parentheses, and the old
//! slash for OR. Unknown words are licences that nobody allowed.

/// Whether the expression can be satisfied with these licences alone. A licence with an exception is one entry.
pub(crate) fn is_satisfied(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser {
        words: &words,
        allowed,
    };
    parser.either() == Some(true) && parser.words.is_empty()
}

/// Each function takes its part off the front and says whether it is satisfied; nothing is said of what is no part.
struct Parser<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl Parser<'_> {
    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn either(&mut self) -> Option<bool> {
        let mut satisfied = self.both()?;
        while self.take("OR") {
            satisfied |= self.both()?;
        }
        Some(satisfied)
    }

    fn both(&mut self) -> Option<bool> {
        let mut satisfied = self.one()?;
        while self.take("AND") {
            satisfied &= self.one()?;
        }
        Some(satisfied)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let satisfied = self.either()?;
            return self.take(")").then_some(satisfied);
        }
        let mut licence = self.next()?.to_owned();
        if self.take("WITH") {
            licence = format!("{licence} WITH {}", self.next()?);
        }
        Some(self.allowed.contains(&licence))
    }

    fn next(&mut self) -> Option<&str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::is_satisfied;

    fn check(expression: &str, expect: bool) {
        let allowed = ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        assert_eq!(is_satisfied(expression, &allowed), expect, "{expression}");
    }

    #[test]
    fn one_allowed_way_is_enough_and_every_part_of_it_is_needed() {
        check("MIT", true);
        check("GPL-3.0", false);
        check("GPL-3.0 OR MIT", true);
        check("Unlicense/MIT", true);
        check("MIT AND GPL-3.0", false);
        check("(MIT OR Apache-2.0) AND Unicode-3.0", true);
        check("(GPL-3.0 OR Apache-2.0) AND Unicode-3.0", false);
        check("GPL-3.0 OR MIT AND Unicode-3.0", true);
        check("Apache-2.0 WITH LLVM-exception", true);
        check("MIT WITH LLVM-exception", false);
    }

    #[test]
    fn what_is_no_expression_is_not_satisfied() {
        for text in ["", "MIT MIT", "(MIT", "MIT)", "MIT OR", "AND MIT"] {
            check(text, false);
        }
    }
}
