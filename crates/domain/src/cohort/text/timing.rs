//! Time relations: how far one moment of a patient is from another.

use super::{
    super::{Cohort, Field, FieldKind, Group, Moment, Order, Range, Test, Timing, date_of},
    ParseError,
    lex::Token,
    parse::{COMPARISONS, Expected, Parsed, Parser, is, limit},
    write::NEXT_DAY,
};

impl Parser {
    /// What follows a field of days: a test of it, or how far it is from another moment.
    pub(super) fn day(&mut self, field: Field, depth: usize) -> Parsed<Cohort> {
        if self.take_word("recorded") {
            return Ok(is(field, Test::Recorded));
        }
        let mut moment = Moment {
            date: field,
            of: None,
        };
        if self.take_word("of") {
            self.note(Expected::Entity);
            let Some(entity) = self.group_ahead() else {
                return Err(self.error("expected a record, such as `series(modality = CT)`"));
            };
            moment.of = Some(self.group(entity, depth)?);
            return self.timing(moment, depth);
        }
        let (at, sign) = (self.next, self.peek() == Some(&Token::Symbol("!=")));
        if sign {
            return self.test(field);
        }
        let Some(days) = self.distance(field)? else {
            return self.timing(moment, depth);
        };
        match self.order() {
            Some(order) => self.timed(moment, days, order, depth),
            None if self.is_within(at) => Err(self.error("expected `before`, `after` or `of`")),
            None => Ok(is(field, Test::Range(days))),
        }
    }

    fn is_within(&self, at: usize) -> bool {
        matches!(&self.tokens[at].1, Token::Word(word) if word.eq_ignore_ascii_case("within"))
    }

    /// A group alone, or as the first moment of a time relation.
    pub(super) fn after_group(&mut self, group: Group, depth: usize) -> Parsed<Cohort> {
        for word in ["within", "before", "after"] {
            self.note(Expected::Sign(word));
        }
        let relates = match self.peek() {
            Some(Token::Symbol(sign)) => COMPARISONS.contains(sign),
            Some(Token::Word(_)) => {
                let word = self.peek_word().unwrap_or_default();
                ["within", "in", "before", "after"].contains(&word.as_str())
            }
            _ => false,
        };
        if !relates {
            return Ok(Cohort::One(group));
        }
        let moment = self.moment_of(group)?;
        self.timing(moment, depth)
    }

    fn moment_of(&self, group: Group) -> Parsed<Moment> {
        let Some(date) = date_of(group.entity) else {
            let entity = group.entity.as_str();
            let message = format!(
                "a record of {entity} has no day of its own: write a date, as in last_contact of {entity}(…)"
            );
            return Err(self.error(message));
        };
        Ok(Moment {
            date,
            of: Some(group),
        })
    }

    fn timing(&mut self, first: Moment, depth: usize) -> Parsed<Cohort> {
        let days = self.distance(first.date)?;
        match self.order() {
            Some(order) if days.is_some() || order != Order::Of => {
                self.timed(first, days.unwrap_or(NEXT_DAY), order, depth)
            }
            _ if days.is_some() => Err(self.error("expected `before`, `after` or `of`")),
            _ => {
                Err(self
                    .error("expected =, <, <=, >, >=, `within`, `before`, `after` or `recorded`"))
            }
        }
    }

    fn timed(&mut self, first: Moment, days: Range, order: Order, depth: usize) -> Parsed<Cohort> {
        let second = self.moment(depth)?;
        Ok(Cohort::Timed(Box::new(Timing {
            first,
            order,
            second,
            days,
        })))
    }

    fn moment(&mut self, depth: usize) -> Parsed<Moment> {
        self.note(Expected::Moment);
        if let Some(entity) = self.group_ahead() {
            let at = self.next;
            let group = self.group(entity, depth)?;
            return self.moment_of(group).map_err(|error| ParseError {
                position: self.tokens[at].0,
                ..error
            });
        }
        let date = self.field()?;
        if date.kind() != FieldKind::Days {
            self.next -= 1;
            return Err(self.error(format!("{date} is no date")));
        }
        let mut of = None;
        if self.take_word("of") {
            self.note(Expected::Entity);
            let Some(entity) = self.group_ahead() else {
                return Err(self.error("expected a record, such as `series(modality = CT)`"));
            };
            of = Some(self.group(entity, depth)?);
        }
        Ok(Moment { date, of })
    }

    /// `within 90 d`, `>= 2 a`, `in 30..60 d`; nothing where none of them stands.
    fn distance(&mut self, field: Field) -> Parsed<Option<Range>> {
        const DAYS: &str = "d";
        if self.take_word("within") {
            let max = Some(self.number(field, DAYS)?.in_unit());
            return Ok(Some(Range {
                max,
                ..Range::default()
            }));
        }
        if self.take_word("in") {
            return self.range(field, DAYS).map(Some);
        }
        let signs = ["=", "<=", ">=", "<", ">"];
        let Some(sign) = signs.into_iter().find(|sign| self.take_symbol(sign)) else {
            return Ok(None);
        };
        Ok(Some(limit(sign, self.number(field, DAYS)?.in_unit())))
    }

    fn order(&mut self) -> Option<Order> {
        let orders = [
            ("before", Order::Before),
            ("after", Order::After),
            ("of", Order::Of),
        ];
        let found = orders.into_iter().find(|(word, _)| self.take_word(word));
        found.map(|(_, order)| order)
    }
}
