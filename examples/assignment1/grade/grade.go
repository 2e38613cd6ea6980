// Package grade marks assignment 1. It plays the provider itself, with new random
// names, numbers and keys in every run. So only a program that really asks and
// really reads the answer can pass.
//
//	func TestGrade(t *testing.T) {
//		grade.Run(t, func(env grade.Env, client *http.Client) (grade.Triage, error) {
//			return triage.FromEnv(env, client)
//		})
//	}
package grade

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// A Ticket is the result of an e-mail.
type Ticket struct {
	Category   string `json:"category"`    // billing, technical, account or other
	Urgency    int    `json:"urgency"`     // 1 (whenever) to 5 (now)
	Summary    string `json:"summary"`     // one line
	NeedsHuman bool   `json:"needs_human"` // whether a person must look at it
}

// Categories are the values of Ticket.Category.
var Categories = []string{"billing", "technical", "account", "other"}

// The errors that a program branches on. Your errors wrap them.
var (
	ErrConfig  = errors.New("the configuration is incomplete")
	ErrInvalid = errors.New("the model gave no valid ticket")
)

// An Env looks up an environment variable, as os.LookupEnv does.
type Env func(name string) (value string, ok bool)

// A Triage turns an e-mail into a ticket.
type Triage interface {
	Classify(ctx context.Context, email string) (Ticket, error)
}

// A line is a line of the rubric.
type line struct {
	name   string
	points int
	check  func(*testing.T, *exam)
}

var rubric = []line{
	{"environment/missing key", 10, missingKey},
	{"environment/settings", 10, settings},
	{"integration/ticket", 15, ticket},
	{"integration/context", 10, contextEnds},
	{"typed/schema", 15, schema},
	{"typed/asks again", 15, asksAgain},
	{"typed/gives up", 10, givesUp},
	{"errors/status", 10, status},
	{"errors/secret", 5, secretKept},
}

// Run marks a solution: each line of the rubric is a subtest, and the points
// are logged at the end.
func Run(t *testing.T, fromEnv func(env Env, client *http.Client) (Triage, error)) {
	t.Helper()
	score, total := 0, 0
	var report strings.Builder
	for _, l := range rubric {
		total += l.points
		earned := 0
		if t.Run(l.name, func(t *testing.T) { l.check(t, &exam{fromEnv: fromEnv}) }) {
			earned = l.points
		}
		score += earned
		fmt.Fprintf(&report, "%3d/%-3d %s\n", earned, l.points, l.name)
	}
	t.Logf("\n%sSCORE %d/%d", report.String(), score, total)
}

// An exam is one check's provider and its secrets.
type exam struct {
	fromEnv func(Env, *http.Client) (Triage, error)
	server  *modeltest.Server
	key     string
	model   string
}

// start plays a provider with these replies and makes the solution under test.
func (e *exam) start(t *testing.T, replies ...modeltest.Reply) Triage {
	t.Helper()
	e.key, e.model = "sk-"+word(), "model-"+word()
	server, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: replies, Key: e.key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	e.server = server
	env := map[string]string{"OPENAI_API_KEY": e.key, "OPENAI_BASE_URL": server.URL + "/v1", "OPENAI_MODEL": e.model}
	triage, err := e.fromEnv(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, server.Client())
	if err != nil {
		t.Fatalf("FromEnv with a whole environment failed: %v", err)
	}
	if triage == nil {
		t.Fatal("FromEnv returned nil and no error")
	}
	return triage
}

func word() string { return strings.ToLower(rand.Text()[:10]) }

func below(n int64) int {
	v, err := rand.Int(rand.Reader, big.NewInt(n))
	if err != nil {
		panic(err) // the system has no randomness
	}
	return int(v.Int64())
}

// draw returns an e-mail and the ticket that the provider will make of it.
func draw() (email string, want Ticket) {
	want = Ticket{Category: Categories[below(4)], Urgency: 1 + below(5), Summary: "about order " + word(), NeedsHuman: below(2) == 1}
	return "Dear team, this is about order " + word() + ". Kind regards, " + word(), want
}

func say(v any) modeltest.Reply {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // v is always a ticket or a map of strings
	}
	return modeltest.Reply{Turn: modeltest.Say(string(data))}
}

func missingKey(t *testing.T, e *exam) {
	_, err := e.fromEnv(func(string) (string, bool) { return "", false }, http.DefaultClient)
	if !errors.Is(err, ErrConfig) {
		t.Fatalf("without any variable FromEnv returned %v, want an error that wraps ErrConfig", err)
	}
	if !strings.Contains(err.Error(), "OPENAI_API_KEY") {
		t.Errorf("the error %q doesn't name OPENAI_API_KEY", err)
	}
}

func settings(t *testing.T, e *exam) {
	email, want := draw()
	if _, err := e.start(t, say(want)).Classify(t.Context(), email); err != nil {
		t.Fatalf("Classify: %v", err)
	}
	r := e.server.Requests()
	if len(r) == 0 || r[0].Status != http.StatusOK {
		t.Fatal("no request with the key reached the address in OPENAI_BASE_URL")
	}
	if r[0].Model != e.model {
		t.Errorf("the model asked was %q, want that of OPENAI_MODEL, %q", r[0].Model, e.model)
	}
}

func ticket(t *testing.T, e *exam) {
	for range 3 {
		email, want := draw()
		got, err := e.start(t, say(want)).Classify(t.Context(), email)
		if err != nil {
			t.Fatalf("Classify: %v", err)
		}
		if got != want {
			t.Errorf("got %+v, the model said %+v", got, want)
		}
		if r := e.server.Requests(); len(r) != 1 || !strings.Contains(string(r[0].Body), email) {
			t.Errorf("the e-mail must be in the one request; there were %d", len(r))
		}
	}
}

func contextEnds(t *testing.T, e *exam) {
	synctest.Test(t, func(t *testing.T) { // time is virtual in here
		triage := e.start(t, modeltest.Reply{Stall: true, Times: -1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		_, err := triage.Classify(ctx, "hello")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want an error for which errors.Is finds context.DeadlineExceeded", err)
		}
		if late := time.Since(began) - time.Minute; late > time.Second {
			t.Errorf("Classify returned %v after its deadline", late)
		}
		e.server.Close()
	})
}

func schema(t *testing.T, e *exam) {
	email, want := draw()
	if _, err := e.start(t, say(want)).Classify(t.Context(), email); err != nil {
		t.Fatalf("Classify: %v", err)
	}
	var body struct {
		Format struct {
			Type   string `json:"type"`
			Schema struct {
				Schema json.RawMessage `json:"schema"`
			} `json:"json_schema"`
		} `json:"response_format"`
	}
	if err := e.server.Requests()[0].Decode(&body); err != nil {
		t.Fatal(err)
	}
	if body.Format.Type != "json_schema" {
		t.Fatalf("response_format has type %q, want json_schema", body.Format.Type)
	}
	for _, field := range append([]string{"category", "urgency", "summary", "needs_human"}, Categories...) {
		if !strings.Contains(string(body.Format.Schema.Schema), `"`+field+`"`) {
			t.Errorf("the schema doesn't know %q", field)
		}
	}
}

// wrong are answers that are not a ticket, each with a word that a good complaint
// contains.
var wrong = []struct {
	answer any
	about  string
}{
	{map[string]any{"category": "refunds", "urgency": 2, "summary": "s", "needs_human": false}, "category"},
	{map[string]any{"category": "billing", "urgency": 9, "summary": "s", "needs_human": false}, "urgency"},
	{map[string]any{"category": "billing", "urgency": 2, "summary": "", "needs_human": true}, "summary"},
	{"I think this is about billing.", ""},
}

func asksAgain(t *testing.T, e *exam) {
	for _, w := range wrong {
		email, want := draw()
		got, err := e.start(t, say(w.answer), say(want)).Classify(t.Context(), email)
		if err != nil || got != want {
			t.Errorf("after %v the model was to be asked again; got %+v, %v", w.answer, got, err)
			continue
		}
		r := e.server.Requests()
		if len(r) != 2 || !strings.Contains(string(r[1].Body), email) {
			t.Errorf("the second request must contain the e-mail too; there were %d requests", len(r))
		} else if len(r[1].Body) <= len(r[0].Body) || !strings.Contains(string(r[1].Body[len(r[0].Body)/2:]), w.about) {
			t.Errorf("the second request must name what was wrong (%s)", w.about)
		}
	}
}

func givesUp(t *testing.T, e *exam) {
	for _, w := range wrong {
		reply := say(w.answer)
		reply.Times = -1
		got, err := e.start(t, reply).Classify(t.Context(), "hello")
		if !errors.Is(err, ErrInvalid) || got != (Ticket{}) {
			t.Errorf("the model said %v twice; got %+v, %v, want no ticket and an error that wraps ErrInvalid", w.answer, got, err)
		}
		if n := len(e.server.Requests()); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	}
}

func status(t *testing.T, e *exam) {
	wait := time.Duration(3+below(50)) * time.Second
	_, err := e.start(t, modeltest.Reply{Error: modeltest.RateLimited(wait), Times: -1}).Classify(t.Context(), "hello")
	var refused interface {
		HTTPStatus() int
		RetryAfter() (time.Duration, bool)
	}
	if !errors.As(err, &refused) || refused.HTTPStatus() != http.StatusTooManyRequests {
		t.Fatalf("got %v, want an error in which errors.As finds HTTPStatus() 429", err)
	}
	if got, ok := refused.RetryAfter(); !ok || got != wait {
		t.Errorf("RetryAfter is %v %v, the provider said %v", got, ok, wait)
	}
}

func secretKept(t *testing.T, e *exam) {
	e.start(t)
	for name, reply := range map[string]modeltest.Reply{
		"refused":   {Status: http.StatusUnauthorized, Body: []byte(`{"error":{"message":"wrong key ` + e.key + `","code":"invalid_api_key"}}`)},
		"malformed": {Body: []byte("<html>" + e.key)},
	} {
		e.server.Close()
		server, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{reply}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		env := map[string]string{"OPENAI_API_KEY": e.key, "OPENAI_BASE_URL": server.URL + "/v1", "OPENAI_MODEL": e.model}
		triage, err := e.fromEnv(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, server.Client())
		if err != nil {
			t.Fatal(err)
		}
		_, err = triage.Classify(t.Context(), "hello")
		if err == nil || len(server.Requests()) == 0 {
			t.Errorf("%s: the provider was to be asked, and its answer to be an error; got %v after %d requests", name, err, len(server.Requests()))
		} else if strings.Contains(fmt.Sprintf("%v %+v", err, err), e.key) {
			t.Errorf("%s: the error shows the key", name)
		}
	}
}
