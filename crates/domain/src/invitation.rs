//! A one-time invitation: one line of text that carries all a node needs to trust the federation.
//!
//! It pins the federation's root (which also signs the hub's TLS certificate) and the access committee's key, so
//! that neither can be swapped later by whoever runs the hub.

use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::PublicKey;

const PREFIX: &str = "arno-invitation-1.";
/// An invitation holds one certificate of about 300 bytes; more than this is no invitation.
const MAX_TEXT_BYTES: usize = 8 * 1024;

/// What the operator hands to a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Where nodes reach the hub, `https://host:port`.
    pub hub_url: String,
    /// The one-time code, known to the hub by its SHA-256 only.
    pub code: String,
    /// The federation's root key, which signs what the hub says.
    pub root_key: PublicKey,
    /// The root's X.509 certificate (DER, base64), the only one trusted for TLS to the hub.
    pub root_certificate: String,
    /// The access committee's key, which signs permits.
    pub committee_key: PublicKey,
}

/// A text that is no invitation.
#[derive(Debug, thiserror::Error)]
#[error("not an invitation: expected one line that begins with {PREFIX}")]
pub struct InvitationError;

impl std::fmt::Display for Invitation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_| std::fmt::Error)?;
        write!(formatter, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }
}

impl FromStr for Invitation {
    type Err = InvitationError;

    fn from_str(text: &str) -> Result<Self, InvitationError> {
        let text = text.trim();
        if text.len() > MAX_TEXT_BYTES {
            return Err(InvitationError);
        }
        let encoded = text.strip_prefix(PREFIX).ok_or(InvitationError)?;
        let json = URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| InvitationError)?;
        serde_json::from_slice(&json).map_err(|_| InvitationError)
    }
}

#[cfg(test)]
mod tests {
    use super::Invitation;
    use crate::SecretKey;

    #[test]
    fn an_invitation_survives_copy_and_paste() {
        let invitation = Invitation {
            hub_url: "https://hub.example:8443".into(),
            code: "a".repeat(43),
            root_key: SecretKey::from_seed(&[1; 32]).public(),
            root_certificate: "AAAA".into(),
            committee_key: SecretKey::from_seed(&[2; 32]).public(),
        };
        assert_eq!(
            format!(" {invitation}\n").parse::<Invitation>().unwrap(),
            invitation
        );
        assert!("arno-invitation-1.AAAA".parse::<Invitation>().is_err());
        assert!("".parse::<Invitation>().is_err());
    }
}
