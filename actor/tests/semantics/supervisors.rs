//! Supervisors, rule by rule: the tests with a number are rows of the rule table.

mod applications;
mod chaos;
mod kit;
mod reports;
mod requests;
mod restarts;
mod servers;
mod starts;
mod stops;
mod trees;
