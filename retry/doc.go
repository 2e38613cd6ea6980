// Package retry makes a client of a model that tells the truth about what
// failed and survives an overload.
//
// # The lecture
//
// Lectures 3 and 4. Retrying is easy to add and easy to turn into the cause of
// an outage: what matters is what is retried, when, and how often in total.
package retry
