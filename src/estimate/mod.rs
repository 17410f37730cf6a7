//! Best unbiased tables that agree.
