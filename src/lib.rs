//! redlua (under construction)
