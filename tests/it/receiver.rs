//! The remote-write receiver, requirement by requirement and case by case of Prometheus' own tests.

mod headers;
mod hostile;
mod limits;
mod order;
mod partial;
mod passing_on;
mod sender;
