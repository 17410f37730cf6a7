//! What an officer should look at although the policy loads.

use super::Policy;
use super::file::File;
use super::findings::Findings;

pub(super) fn lint(_policy: &Policy, _file: &File, _findings: &mut Findings<'_>) {}
