//! Terraform's own language: literals are read, and everything else is named with its line.

use std::collections::BTreeMap;

use access_relay_core::syntax::text::split_before;
use hcl_edit::Span;
use hcl_edit::expr::{Expression, ObjectKey, UnaryOperator};
use hcl_edit::structure::{Block, Body};

use crate::findings::LineStarts;
use crate::import::found::Application;
use crate::import::term::{Term, code};
use crate::import::terraform;

/// The applications among the resources of a file.
///
/// # Errors
/// It cannot be read, and where.
pub fn applications(text: &str) -> Result<Vec<Application>, String> {
    let body = hcl_edit::parser::parse_body(text).map_err(|error| {
        let place = error.location();
        // Without the line itself, which may hold a secret.
        format!(
            "line {}, column {}: not valid HCL: {}",
            place.line(),
            place.column(),
            error.message().replace('\n', ", ")
        )
    })?;
    let file = File::new(text);
    let resources = body.get_blocks("resource").filter_map(|block| {
        let [kind, name] = block.labels.as_slice() else { return None };
        let (kind, name) = (kind.as_str(), name.as_str());
        terraform::has_policy(kind).then(|| {
            let mut found = terraform::application(kind, &format!("{kind}.{name}"), &file.body(&block.body));
            for repeated in ["for_each", "count"].into_iter().filter(|key| block.body.has_attribute(key)) {
                found
                    .remarks
                    .push(format!("the resource stands for several ({repeated}): what it says is for all of them"));
            }
            found
        })
    });
    Ok(resources.collect())
}

/// A file's text, and where its lines begin.
struct File<'t> {
    text: &'t str,
    lines: LineStarts<'t>,
}

impl<'t> File<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, lines: LineStarts::of(text) }
    }

    /// A body as a table; of blocks with one name, a list.
    fn body(&self, body: &Body) -> Term {
        let mut values: BTreeMap<String, Term> = BTreeMap::new();
        for attribute in body.attributes() {
            values.insert(attribute.key.as_str().to_owned(), self.value(&attribute.value));
        }
        for block in body.blocks() {
            let (name, value) = self.block(block);
            match values.entry(name).or_insert_with(|| Term::List(Vec::new())) {
                Term::List(items) => items.push(value),
                other => *other = value,
            }
        }
        Term::Table(values)
    }

    /// `dynamic "cors_headers"` makes blocks of that name, of what only Terraform knows.
    fn block(&self, block: &Block) -> (String, Term) {
        match (block.ident.as_str(), block.labels.first()) {
            ("dynamic", Some(label)) => {
                let line = block.span().map(|span| self.line(span.start)).unwrap_or_default();
                (label.as_str().to_owned(), Term::Unknown(format!("a dynamic block{line}")))
            }
            (name, _) => (name.to_owned(), self.body(&block.body)),
        }
    }

    fn value(&self, expression: &Expression) -> Term {
        match expression {
            Expression::Null(_) => Term::Null,
            Expression::Bool(value) => Term::Boolean(*value.value()),
            Expression::Number(number) => Term::Number(number.value().as_i64()),
            Expression::String(text) => Term::Text(text.value().clone()),
            Expression::Array(items) => Term::List(items.iter().map(|item| self.value(item)).collect()),
            Expression::Object(object) => {
                let entry = |(key, value): (&ObjectKey, &hcl_edit::expr::ObjectValue)| {
                    let name = match key {
                        ObjectKey::Ident(name) => Some(name.as_str().to_owned()),
                        ObjectKey::Expression(Expression::String(text)) => Some(text.value().clone()),
                        ObjectKey::Expression(Expression::Variable(name)) => Some(name.value().as_str().to_owned()),
                        ObjectKey::Expression(_) => None,
                    };
                    name.map(|name| (name, self.value(value.expr())))
                };
                object.iter().map(entry).collect::<Option<_>>().map_or_else(|| self.unknown(expression), Term::Table)
            }
            Expression::Parenthesis(inner) => self.value(inner.inner()),
            Expression::UnaryOp(operation) if *operation.operator.value() == UnaryOperator::Neg => {
                match self.value(&operation.expr) {
                    Term::Number(number) => Term::Number(number.and_then(i64::checked_neg)),
                    _ => self.unknown(expression),
                }
            }
            _ => self.unknown(expression),
        }
    }

    fn unknown(&self, expression: &Expression) -> Term {
        let span = expression.span().unwrap_or_default();
        let (first, rest) = split_before(self.text.get(span.clone()).unwrap_or_default(), |byte| byte == b'\n');
        let more = if rest.is_empty() { "" } else { " …" };
        let what = match expression {
            Expression::Variable(_) | Expression::Traversal(_) => "the reference",
            _ => "the expression",
        };
        Term::Unknown(format!("{what} `{}{more}`{}", code(first.trim()), self.line(span.start)))
    }

    fn line(&self, at: usize) -> String {
        format!(" (line {})", self.lines.place(&(at..at)).line)
    }
}
