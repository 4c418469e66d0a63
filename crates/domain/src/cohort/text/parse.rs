//! Text → cohort, by recursive descent. What was expected at the end of the text is remembered for completion.

use super::{
    super::{
        Cohort, Criterion, Entity, Field, FieldKind, Group, MAX_DEPTH, Range, Test, has_hierarchy,
        vocabulary,
    },
    ParseError,
    lex::{Token, tokens},
    number::Number,
};
use crate::model::typos;

/// What may stand at the end of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Expected {
    /// A field, or an entity with an opening bracket.
    Criterion,
    /// An entity with an opening bracket.
    Entity,
    /// A field of days, or an entity with an opening bracket.
    Moment,
    /// This word or sign.
    Sign(&'static str),
    /// A value of this field.
    Value(Field),
    /// A number in this unit.
    Number(&'static str),
    /// A unit that can be turned into this one.
    Unit(&'static str),
}

/// What may come after this text; nothing where it is wrong before its end.
pub(in super::super) fn expected_at_end(text: &str) -> Vec<Expected> {
    let Ok(tokens) = tokens(text) else {
        return Vec::new();
    };
    let mut parser = Parser::new(text, tokens);
    let _ = parser.whole();
    parser.expected
}

pub(super) fn parse(text: &str) -> Result<Cohort, ParseError> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(Cohort::everybody());
    }
    Parser::new(text, tokens).whole()
}

pub(super) struct Parser {
    pub(super) tokens: Vec<(usize, Token)>,
    pub(super) next: usize,
    end: usize,
    expected: Vec<Expected>,
}

pub(super) type Parsed<T> = Result<T, ParseError>;

pub(super) const COMPARISONS: [&str; 6] = ["=", "!=", "<=", ">=", "<", ">"];
const JOINED: [&str; 2] = ["and", "or"];

impl Parser {
    fn new(text: &str, tokens: Vec<(usize, Token)>) -> Self {
        Self {
            tokens,
            next: 0,
            end: text.chars().count() + 1,
            expected: Vec::new(),
        }
    }

    fn whole(&mut self) -> Parsed<Cohort> {
        let cohort = self.or(0)?;
        match self.peek() {
            None => Ok(cohort),
            Some(Token::Word(word)) => {
                let meant = JOINED.into_iter().find(|known| {
                    let word = word.to_ascii_lowercase();
                    word.len() <= 5 && typos(&word, known) <= 2 && word != "a"
                });
                let mut error = self.error("expected `and`, `or` or the end");
                error.suggestion = meant.map(str::to_owned);
                Err(error)
            }
            Some(_) => Err(self.error("expected `and`, `or` or the end")),
        }
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    pub(super) fn peek_word(&self) -> Option<String> {
        match self.peek() {
            Some(Token::Word(word)) => Some(word.to_ascii_lowercase()),
            _ => None,
        }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> ParseError {
        let place = self.tokens.get(self.next);
        let position = place.map_or(self.end, |(position, _)| *position);
        ParseError::new(position, message)
    }

    pub(super) fn note(&mut self, expected: Expected) {
        if self.next == self.tokens.len() && !self.expected.contains(&expected) {
            self.expected.push(expected);
        }
    }

    pub(super) fn take_word(&mut self, wanted: &'static str) -> bool {
        self.note(Expected::Sign(wanted));
        let found =
            matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.next += usize::from(found);
        found
    }

    pub(super) fn take_symbol(&mut self, wanted: &'static str) -> bool {
        self.note(Expected::Sign(wanted));
        let found = matches!(self.peek(), Some(Token::Symbol(symbol)) if *symbol == wanted);
        self.next += usize::from(found);
        found
    }

    fn close(&mut self, bracket: &'static str) -> Parsed<()> {
        match self.take_symbol(bracket) {
            true => Ok(()),
            false => Err(self.error(format!("expected `{bracket}`"))),
        }
    }

    fn or(&mut self, depth: usize) -> Parsed<Cohort> {
        let mut parts = vec![self.and(depth)?];
        while self.take_word("or") {
            parts.push(self.and(depth)?);
        }
        Ok(single_or(parts, Cohort::Or))
    }

    fn and(&mut self, depth: usize) -> Parsed<Cohort> {
        let mut parts = vec![self.not(depth)?];
        while self.take_word("and") {
            parts.push(self.not(depth)?);
        }
        Ok(single_or(parts, Cohort::And))
    }

    fn not(&mut self, depth: usize) -> Parsed<Cohort> {
        if depth > MAX_DEPTH {
            return Err(self.error(format!(
                "and/or/not and groups nest at most {MAX_DEPTH} deep"
            )));
        }
        if self.take_word("not") {
            return Ok(Cohort::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.take_symbol("(") {
            return self.inner(depth);
        }
        self.criterion(depth)
    }

    /// What stands in brackets, and the closing one; nothing is everybody.
    fn inner(&mut self, depth: usize) -> Parsed<Cohort> {
        if self.take_symbol(")") {
            return Ok(Cohort::everybody());
        }
        let inner = self.or(depth + 1)?;
        self.close(")")?;
        Ok(inner)
    }

    fn criterion(&mut self, depth: usize) -> Parsed<Cohort> {
        self.note(Expected::Criterion);
        if let Some(entity) = self.group_ahead() {
            let group = self.group(entity, depth)?;
            return self.after_group(group, depth);
        }
        let field = self.field()?;
        match field.kind() {
            FieldKind::Days => self.day(field, depth),
            _ => self.test(field),
        }
    }

    /// `series(`: a name that is a field too is an entity where a bracket follows.
    pub(super) fn group_ahead(&self) -> Option<Entity> {
        let bracket = self.tokens.get(self.next + 1).map(|(_, token)| token);
        let entity = Entity::from_name(&self.peek_word()?)?;
        (bracket == Some(&Token::Symbol("("))).then_some(entity)
    }

    pub(super) fn group(&mut self, entity: Entity, depth: usize) -> Parsed<Group> {
        self.next += 2;
        Ok(Group {
            entity,
            such_that: Box::new(self.inner(depth)?),
        })
    }

    pub(super) fn field(&mut self) -> Parsed<Field> {
        let Some(name) = self.peek_word() else {
            let message = "expected a field or a record, such as `modality` or `series(`";
            return Err(self.error(message));
        };
        let name = vocabulary::field_name(&name);
        match Field::parse(name) {
            Ok(field) => {
                self.next += 1;
                Ok(field)
            }
            Err(unknown) => {
                let mut error = self.error(format!("`{name}` is no field"));
                error.suggestion = vocabulary::near_entity(name)
                    .or(unknown.near)
                    .map(str::to_owned);
                if error.suggestion.is_none() {
                    error.message.push_str("; docs/model.md lists them");
                }
                Err(error)
            }
        }
    }

    pub(super) fn test(&mut self, field: Field) -> Parsed<Cohort> {
        if self.take_word("recorded") {
            return Ok(is(field, Test::Recorded));
        }
        let unit = unit_of(field);
        if unit.is_none() && has_hierarchy(field) && self.take_word("under") {
            return Ok(is(field, Test::Under(self.values(field)?)));
        }
        if self.take_word("in") {
            return self.set_or_range(field, unit);
        }
        match (self.comparison(), unit) {
            (Some("!="), _) => {
                let test = match unit {
                    None => Test::OneOf(vec![self.value(field)?]),
                    Some(unit) => Test::Range(equal(self.number(field, unit)?.in_unit())),
                };
                Ok(Cohort::Not(Box::new(is(field, test))))
            }
            (Some("="), None) => Ok(is(field, Test::OneOf(vec![self.value(field)?]))),
            (Some(_), None) => {
                self.next -= 1;
                Err(self.error(format!(
                    "{field} is a word: compare it with = or in {{A, B}}"
                )))
            }
            (Some(sign), Some(unit)) => {
                let number = self.number(field, unit)?.in_unit();
                Ok(is(field, Test::Range(limit(sign, number))))
            }
            (None, _) if self.peek_word().as_deref() == Some("under") => Err(self.error(format!(
                "nothing lies under a value of {field}: write {field} = …"
            ))),
            (None, _) => Err(self.error("expected =, !=, <, <=, >, >=, `in` or `recorded`")),
        }
    }

    fn comparison(&mut self) -> Option<&'static str> {
        COMPARISONS.into_iter().find(|sign| self.take_symbol(sign))
    }

    fn set_or_range(&mut self, field: Field, unit: Option<&'static str>) -> Parsed<Cohort> {
        if let Some(unit) = unit {
            return Ok(is(field, Test::Range(self.range(field, unit)?)));
        }
        let is_set = self.peek() == Some(&Token::Symbol("{"));
        match is_set || !has_hierarchy(field) {
            true => {
                if !is_set {
                    self.note(Expected::Sign("{"));
                    return Err(self.error("expected `{`, as in {A, B}"));
                }
                Ok(is(field, Test::OneOf(self.values(field)?)))
            }
            false => {
                self.note(Expected::Sign("{"));
                Ok(is(field, Test::Under(self.values(field)?)))
            }
        }
    }

    /// One value, or several in braces.
    fn values(&mut self, field: Field) -> Parsed<Vec<String>> {
        if !self.take_symbol("{") {
            return Ok(vec![self.value(field)?]);
        }
        let mut words = vec![self.value(field)?];
        while self.take_symbol(",") {
            words.push(self.value(field)?);
        }
        match self.take_symbol("}") {
            true => Ok(words),
            false => Err(self.error("expected `,` or `}`")),
        }
    }

    fn value(&mut self, field: Field) -> Parsed<String> {
        self.note(Expected::Value(field));
        let (Some(Token::Word(word)) | Some(Token::Quoted(word))) = self.peek().cloned() else {
            return Err(self.error("expected a value"));
        };
        let word = match (field.kind(), word.to_ascii_lowercase().as_str()) {
            (FieldKind::Flag, "yes" | "true") => "yes".to_owned(),
            (FieldKind::Flag, "no" | "false") => "no".to_owned(),
            (FieldKind::Flag, _) => return Err(self.error(format!("{field} is yes or no"))),
            _ => word,
        };
        self.next += 1;
        Ok(word)
    }

    /// `40..75`, `>40..<75 mo`.
    pub(super) fn range(&mut self, field: Field, unit: &'static str) -> Parsed<Range> {
        let open = self.take_symbol(">");
        let low = self.number(field, unit)?;
        if !self.take_symbol("..") {
            return Err(self.error("expected `..`, as in 40..75"));
        }
        let shut = self.take_symbol("<");
        let high = self.number(field, unit)?;
        let (low, high) = Number::together(low, high);
        if low > high {
            self.next -= 1;
            return Err(self.error("no number is in this range: write the lower one first"));
        }
        Ok(Range {
            min: (!open).then_some(low),
            above: open.then_some(low),
            max: (!shut).then_some(high),
            below: shut.then_some(high),
        })
    }
}

fn single_or(mut parts: Vec<Cohort>, list: fn(Vec<Cohort>) -> Cohort) -> Cohort {
    match parts.len() {
        1 => parts.remove(0),
        _ => list(parts),
    }
}

pub(super) fn is(field: Field, test: Test) -> Cohort {
    Cohort::Is(Criterion { field, test })
}

/// The unit of a field that holds numbers.
fn unit_of(field: Field) -> Option<&'static str> {
    match field.kind() {
        FieldKind::Number { unit } => Some(unit),
        FieldKind::Days => Some("d"),
        FieldKind::Code { .. } | FieldKind::Words | FieldKind::Flag => None,
    }
}

fn equal(number: f64) -> Range {
    limit("=", number)
}

pub(super) fn limit(sign: &str, number: f64) -> Range {
    let limit = Some(number);
    let (min, above, max, below) = match sign {
        "<" => (None, None, None, limit),
        "<=" => (None, None, limit, None),
        ">" => (None, limit, None, None),
        ">=" => (limit, None, None, None),
        _ => (limit, None, limit, None),
    };
    Range {
        min,
        above,
        max,
        below,
    }
}
