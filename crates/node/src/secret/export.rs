//! The link table, opened for a data manager who proves to be one. That it was asked for is recorded, also when it is refused.

use arno_domain::audit::Outcome;
use arno_httpkit::verify_password;

use crate::{Node, NodeError};

/// First line of the table.
const HEAD: &str = "pseudonym,patient_id,issuer";

impl Node {
    /// Whom all pseudonyms stand for, as CSV.
    ///
    /// # Errors
    /// [`NodeError::Rule`] when account and password do not fit, or a row cannot be opened.
    pub async fn export_links(&self, account: &str, password: &str) -> Result<String, NodeError> {
        let act = |outcome, detail: &str| {
            self.act(account, "links exported", "patient links", outcome, detail)
        };
        if !self.is_manager(account, password).await? {
            let mut tx = self.store().database().write().await?;
            tx.audit(
                self.now(),
                act(Outcome::Refused, "account and password do not fit"),
            )
            .await?;
            tx.commit().await?;
            let detail =
                "account and password do not fit together; that it was tried is in the audit log";
            return Err(NodeError::rule("wrong_password", detail));
        }
        let links = self
            .store()
            .export_links(act(Outcome::Done, ""), self.now())
            .await?;
        let mut table = vec![HEAD.to_owned()];
        for link in links {
            let sealed = bytes_of(&link.sealed).unwrap_or_default();
            let opened = self
                .keys()
                .pseudonym
                .links()
                .open(&link.pseudonym, link.version, &sealed);
            let linked = opened.map_err(|_| {
                NodeError::rule("damaged_link", "a link was not sealed under this secret: restore the secret that it was sealed under")
            })?;
            let issuer = linked.issuer.unwrap_or_default();
            table.push(format!(
                "{},{},{}",
                link.pseudonym,
                quoted(&linked.patient_id),
                quoted(&issuer)
            ));
        }
        Ok(table.join("\n") + "\n")
    }

    async fn is_manager(&self, account: &str, password: &str) -> Result<bool, NodeError> {
        let Some(known) = self.store().database().account(account).await? else {
            return Ok(false);
        };
        let password = password.to_owned();
        let verify = move || verify_password(&password, &known.password_hash);
        Ok(tokio::task::spawn_blocking(verify).await?)
    }
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.0.iter().map(byte).collect()
}

/// RFC 4180; what a spreadsheet would take for a formula is text.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use arno_domain::hex;

    use super::{bytes_of, quoted};

    #[test]
    fn values_stay_in_their_cell() {
        assert_eq!(quoted("HN \"1\", x"), "\"HN \"\"1\"\", x\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(
            bytes_of(&hex::encode(&[0, 255, 16])),
            Some(vec![0, 255, 16])
        );
    }
}
