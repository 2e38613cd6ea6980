package triage

import (
	"net/http"
	"testing"

	"github.com/prodailabs/prodai/examples/assignment1/grade"
)

func TestGrade(t *testing.T) {
	grade.Run(t, func(env grade.Env, client *http.Client) (grade.Triage, error) { return FromEnv(env, client) })
}
