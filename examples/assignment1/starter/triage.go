// Package triage turns customers' e-mails into tickets.
package triage

import (
	"context"
	"errors"
	"net/http"

	"github.com/prodailabs/prodai/examples/assignment1/grade"
)

// A Triage asks a model to classify e-mails.
type Triage struct{}

// FromEnv makes a Triage from OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL.
// client sends the requests.
//
// Your turn: read the variables, and make a model with openai.New of
// github.com/prodailabs/prodai/retry/openai.
func FromEnv(env grade.Env, client *http.Client) (*Triage, error) {
	return &Triage{}, nil
}

// Classify asks the model for the e-mail's ticket.
//
// Your turn: ask for JSON by a schema (openai.MetadataResponseFormat), check
// what comes back, ask once more if it isn't valid.
func (t *Triage) Classify(ctx context.Context, email string) (grade.Ticket, error) {
	return grade.Ticket{}, errors.New("nothing is written yet")
}
