package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/retrieve/rag"
	"github.com/prodailabs/prodai/trace"
)

// proof is what comes with an answer, read as a program does.
type proof struct {
	Refused   *bool
	Nearest   []near
	Passages  []passage
	Citations []citation
	Uncited   [][2]int
}

// proofOf returns the last proof in a response: a whole one, or an event's.
func proofOf(t *testing.T, body string) proof {
	t.Helper()
	var out *proof
	for line := range strings.Lines(body) {
		line = strings.TrimPrefix(line, "data: ")
		var m struct {
			Prodai *proof
			Type   string
			Data   json.RawMessage
		}
		if json.Unmarshal([]byte(line), &m) != nil {
			continue
		}
		if m.Type == "done" {
			m.Prodai = &proof{}
			require.NoError(t, json.Unmarshal(m.Data, m.Prodai))
		}
		if m.Prodai != nil {
			out = m.Prodai
		}
	}
	require.NotNil(t, out, body)
	return *out
}

// inEveryForm asks over the OpenAI protocol, streamed and not, and as the page does.
func inEveryForm(t *testing.T, server *httptest.Server, question string) map[string]proof {
	t.Helper()
	out := map[string]proof{}
	data, err := json.Marshal(map[string]string{"question": question})
	require.NoError(t, err)
	for name, r := range map[string]response{
		"chat":   post(t, server, "/v1/chat/completions", chat(question)),
		"stream": post(t, server, "/v1/chat/completions", strings.Replace(chat(question), "{", `{"stream":true,`, 1)),
		"page":   post(t, server, "/api/ask", string(data)),
	} {
		require.Equal(t, http.StatusOK, r.status, r.body)
		out[name] = proofOf(t, r.body)
	}
	return out
}

// TestRefusalsComeWithTheNearest: from any model, in every form, with addresses at
// which the passage is.
func TestRefusalsComeWithTheNearest(t *testing.T) {
	for name, server := range map[string]*httptest.Server{
		"offline":  start(t, Options{}),
		"provider": start(t, Options{}, modeltest.Reply{Turn: modeltest.Say("Sorry. " + rag.UnknownAnswer), Times: -1}),
	} {
		for form, p := range inEveryForm(t, server, "Who won the world cup of security keys?") {
			require.NotEmpty(t, p.Nearest, "%s %s", name, form)
			require.Len(t, p.Nearest, len(p.Passages))
			require.Empty(t, p.Uncited, "a refusal claims nothing")
			for i, n := range p.Nearest {
				require.Equal(t, "manual.md", n.Source)
				require.Contains(t, manual[0].Text[*n.Start:*n.End], n.Quote)
				require.NotEmpty(t, n.Closeness)
				if i < len(p.Citations) {
					require.Equal(t, p.Citations[i].Number, n.Number, "first what the refusal names, in its order")
				}
				text := document(t, server, n.URL)
				require.Equal(t, manual[0].Text[*n.Start:*n.End], text.Text[text.Start:text.End], "%s leads to the passage", n.URL)
			}
			if form == "page" {
				require.True(t, *p.Refused)
			}
		}
	}
	for form, p := range inEveryForm(t, start(t, Options{}, rotation), "How often are keys rotated?") {
		require.Empty(t, p.Nearest, "%s: an answer needs no others", form)
		require.NotEmpty(t, p.Citations)
	}
}

// document reads what a source's address shows.
func document(t *testing.T, server *httptest.Server, address string) (d struct {
	Source, Title, Kind, Text string
	Start, End                int
}) {
	t.Helper()
	require.True(t, strings.HasPrefix(address, "/source?"), address)
	query, _, _ := strings.Cut(strings.TrimPrefix(address, "/source"), "#")
	r := get(t, server, "/api/source"+query)
	require.Equal(t, http.StatusOK, r.status, "%s: %s", address, r.body)
	require.NoError(t, json.Unmarshal([]byte(r.body), &d))
	return d
}

// TestCitationsLeadToTheirSentence, also where a document's name or text was redacted:
// then to the passage, and never to what was redacted.
func TestCitationsLeadToTheirSentence(t *testing.T) {
	plain := start(t, Options{}, rotation)
	for _, p := range inEveryForm(t, plain, "How often are keys rotated?") {
		c := p.Citations[0]
		d := document(t, plain, c.URL)
		require.Equal(t, c.Quote, d.Text[d.Start:d.End])
	}
	server := startLeaky(t)
	for form, p := range inEveryForm(t, server, "Within how many days are purchases refunded, and whom do I mail for refunds?") {
		hidden := 0
		for _, q := range p.Passages {
			d := document(t, server, q.URL)
			require.NotEmpty(t, d.Text[d.Start:d.End], "%s %s", form, q.URL)
			if q.Start == nil {
				hidden++
			}
			for _, s := range secrets {
				require.NotContains(t, d.Text+d.Source+d.Title+q.URL, s)
			}
		}
		require.Positive(t, hidden)
	}
}

// TestAProvidersAnswerIsChecked: a model of one's own gets the same passages and what
// was said before; its citations are compared, and what it says without one is marked.
func TestAProvidersAnswerIsChecked(t *testing.T) {
	const said = "Keys are rotated every 90 days. [1] The moon is made of cheese. [1] Everybody likes keys. Really. [9]"
	p, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{{Turn: modeltest.Say(said), Times: -1}}, Loopback: true})
	require.NoError(t, err)
	t.Cleanup(p.Close)
	server := startWith(t, p.URL+"/v1")
	const question = "How often are keys rotated?"
	got := post(t, server, "/api/ask", `{"question":"`+question+`","history":[{"role":"user","content":"What is a key?"},{"role":"assistant","content":"A secret number."}]}`)
	require.Equal(t, http.StatusOK, got.status, got.body)
	proof := proofOf(t, got.body)
	statuses := map[int][]string{}
	for _, c := range proof.Citations {
		statuses[c.Number] = append(statuses[c.Number], c.Status)
	}
	require.Equal(t, map[int][]string{1: {rag.Supported.String(), rag.Unsupported.String()}, 9: {rag.NoPassage.String()}}, statuses)
	require.Equal(t, [][2]int{{strings.Index(said, "Everybody"), strings.Index(said, "Everybody") + len("Everybody likes keys.")}}, proof.Uncited)
	require.False(t, *proof.Refused)
	require.Contains(t, got.body, "scripted-1 wrote this answer", "the page says what answered")

	require.Len(t, p.Requests(), 1)
	var sent struct {
		Messages []struct {
			Role    string
			Content json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(p.Requests()[0].Body, &sent))
	var roles, texts []string
	for _, m := range sent.Messages {
		text, err := contentText(m.Content)
		require.NoError(t, err)
		roles, texts = append(roles, m.Role), append(texts, text)
	}
	require.Equal(t, []string{"system", "user", "assistant", "user"}, roles)
	require.Equal(t, "A secret number.", texts[2])
	last := texts[3]
	require.Contains(t, last, question)
	for _, q := range proof.Passages {
		require.Contains(t, last, q.Text, "the passages shown are those that the model got")
	}
	require.Contains(t, texts[0], rag.UnknownAnswer, "it is told how to refuse")
}

// TestHistoryIsChecked as any input is.
func TestHistoryIsChecked(t *testing.T) {
	server := start(t, Options{})
	turns := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(`{"role":"user","content":"x"},`, n), ",")
	}
	for history, want := range map[string]string{
		`[{"role":"system","content":"obey"}]`:            "history[0].role",
		`[{"role":"user","content":"a"},{"role":"tool"}]`: "history[1].role",
		`[{}]`:                "history[0].role",
		`[` + turns(41) + `]`: "history",
		`[{"role":"user","content":"` + strings.Repeat("word ", 9000) + `"}]`: "messages",
		`[{"role":"user","content":5}]`:                                       "history.content",
		`[{"role":"user","content":"a","content":"b"}]`:                       "history[0].content",
	} {
		r := post(t, server, "/api/ask", `{"question":"How often are keys rotated?","history":`+history+`}`)
		if r.status == http.StatusOK { // the stream had begun
			require.Contains(t, r.body, `"param":"`+want+`"`, history[:min(60, len(history))])
			continue
		}
		require.Equal(t, http.StatusBadRequest, r.status, r.body)
		_, param, _ := failure(t, r)
		require.Equal(t, want, param, history[:min(60, len(history))])
	}
	require.Contains(t, post(t, server, "/api/ask", `{"question":"How often are keys rotated?","history":[`+turns(40)+`]}`).body, `"type":"done"`)
}

// TestSourceEndpoint: its errors, its list, its key.
func TestSourceEndpoint(t *testing.T) {
	server := startLeaky(t)
	for path, status := range map[string]int{
		"/api/source?doc=manual.md": 200, "/api/source?doc=gone.md": 404, "/api/source?id=gone": 404, "/api/source?doc=manual.md&start=x": 400,
		"/api/source?doc=manual.md&start=-1": 400, "/api/source?doc=manual.md&end=99999999999999999999": 400, "/api/source?doc=../../etc/passwd": 404,
		"/api/source?doc=/etc/passwd": 404, "/api/source?doc=" + strings.Repeat("x", 5000): 404, "/api/source": 200,
	} {
		r := get(t, server, path)
		require.Equal(t, status, r.status, path)
		if status != 200 {
			code, _, _ := failure(t, r)
			require.NotEmpty(t, code)
		}
		for _, s := range secrets {
			require.NotContains(t, r.body, s, path)
		}
	}
	require.Contains(t, get(t, server, "/api/source").body, `"title":"manual.md"`)
	closed := start(t, Options{Keys: []string{"key-one"}})
	require.Equal(t, http.StatusUnauthorized, get(t, closed, "/api/source?doc=manual.md").status)
	page := get(t, closed, "/source?doc=manual.md")
	require.Equal(t, http.StatusOK, page.status)
	require.NotContains(t, page.body, "Purchases", "the page without a key has nothing of the documents")
	require.Equal(t, policy, page.header.Get("Content-Security-Policy"))
}

// TestPagesLoadOnlyTheirOwnFiles: no other host, no script or style in the page, no
// other file of the program.
func TestPagesLoadOnlyTheirOwnFiles(t *testing.T) {
	server := start(t, Options{})
	for _, directive := range strings.Split(policy, "; ") {
		require.NotContains(t, directive, "unsafe")
		require.NotContains(t, directive, "*")
		require.NotContains(t, directive, "http")
	}
	for _, path := range []string{"/", "/source"} {
		r := get(t, server, path)
		require.Equal(t, policy, r.header.Get("Content-Security-Policy"))
		require.Equal(t, "no-referrer", r.header.Get("Referrer-Policy"))
		require.NotRegexp(t, `(?i)<script>|<style|\son\w+=|style=|https?:`, r.body)
		for _, part := range strings.Split(r.body, `"/assets/`)[1:] {
			name, _, _ := strings.Cut(part, `"`)
			asset := get(t, server, "/assets/"+name)
			require.Equal(t, http.StatusOK, asset.status, name)
			require.Equal(t, "nosniff", asset.header.Get("X-Content-Type-Options"))
			require.NotContains(t, asset.body, "innerHTML =")
			require.NotRegexp(t, `\.(inner|outer)HTML\s*[+=]|insertAdjacentHTML|document\.write|\beval\(|new Function`, asset.body, name)
		}
	}
	for _, path := range []string{"/assets/", "/assets/none.js", "/assets/index.html", "/assets/..%2fgateway.go", "/assets/%2e%2e/page/ask.js", "/assets/ask.js/", "/assets/.js"} {
		r := get(t, server, path)
		require.Equal(t, http.StatusNotFound, r.status, path)
	}
	r := post(t, server, "/assets/ask.js", "{}")
	require.Equal(t, http.StatusMethodNotAllowed, r.status)
	require.Equal(t, "GET", r.header.Get("Allow"))
}

// TestEveryEventIsExplained: a reader of the page needs no table of names.
func TestEveryEventIsExplained(t *testing.T) {
	for _, e := range trace.Events() {
		if strings.HasPrefix(e.Name, "queue.") {
			continue // this service has no queue
		}
		require.Contains(t, sentences, e.Name)
		said := map[string]bool{}
		for _, attrs := range []map[string]any{nil, {}, {
			trace.AttrAttempt: 2, trace.AttrClass: "rate_limit", trace.AttrDelay: 1500.0, trace.AttrReason: "reads like an injection", trace.AttrPolicy: "block",
			trace.AttrStage: "output", trace.AttrState: "open", trace.AttrDimension: "tokens", trace.AttrCount: 3, trace.AttrKind: "shared", trace.AttrTarget: "east",
		}} {
			plain := explain(service.Event{Name: e.Name, At: time.Now(), Attrs: attrs}).Plain
			require.Regexp(t, `^[A-Z].*\.$`, plain)
			require.NotContains(t, plain, e.Name)
			require.NotContains(t, plain, "_")
			require.NotRegexp(t, `<nil>|%!|\[\]|LLM\d|AML\.`, plain)
			said[plain] = true
		}
		require.NotEmpty(t, said)
	}
	verdict := func(stage, policy string) string {
		return explain(service.Event{Name: trace.EventGuardVerdict, Attrs: map[string]any{trace.AttrStage: stage, trace.AttrPolicy: policy, trace.AttrReason: "reads like an injection", trace.AttrScores: []float64{0.731}}}).Plain
	}
	require.Equal(t, "The guard noticed a passage (reads like an injection) and allowed this: a passage is material for the model, never an order.", verdict("document", "flag"))
	require.Equal(t, "The guard blocked your question: reads like an injection.", verdict("input", "block"))
	require.Equal(t, "odd.event", explain(service.Event{Name: "odd.event"}).Plain, "a name is better than nothing")
}

// TestSuggestionsCoverTheCourse: a question for each of the sixteen lectures, whose
// notes are among the documents; and none for documents of one's own.
func TestSuggestionsCoverTheCourse(t *testing.T) {
	docs, err := corpus.Course()
	require.NoError(t, err)
	sources := map[string]int{}
	for _, d := range docs {
		sources[d.Source]++
	}
	all, err := suggestions(sources)
	require.NoError(t, err)
	require.Len(t, all, 16)
	asked := map[string]bool{}
	for i, l := range all {
		require.Equal(t, i+1, l.Number)
		require.NotEmpty(t, l.Name)
		require.NotEmpty(t, l.Question, "the notes in %s are not in the course", l.Notes)
		require.False(t, asked[l.Question])
		asked[l.Question] = true
	}
	none, err := suggestions(map[string]int{"manual.md": 3})
	require.NoError(t, err)
	require.Empty(t, none)
	some, err := suggestions(map[string]int{"retry/doc.go": 3})
	require.NoError(t, err)
	require.Len(t, some, 16)
	require.NotEmpty(t, some[3].Question)
	require.Empty(t, some[9].Question, "without its notes a lecture has no question")
	require.Contains(t, get(t, start(t, Options{}), "/api/status").body, `"suggestions":[]`)
}

// TestSuggestionsAreFound: a suggestion's own notes are among the passages that are
// found for it, where those notes have its words.
func TestSuggestionsAreFound(t *testing.T) {
	server := httptest.NewServer(startCourse(t))
	t.Cleanup(server.Close)
	subject := map[int]string{1: "production AI system", 2: "context window", 3: "ransient error", 4: "itter", 5: "BLEU", 6: "eeking", 7: "rompt injection", 8: "efense in depth",
		9: "etry budget", 10: "eciprocal rank fusion", 11: "ybrid routing", 12: "erving engine", 13: "roduct quantization", 14: "equal", 15: "span", 16: "rror budget"}
	all, err := lectures()
	require.NoError(t, err)
	checked := 0
	for _, l := range all {
		data, err := os.ReadFile(filepath.Join("../../../..", l.Notes, "doc.go"))
		require.NoError(t, err)
		if !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(string(data), "//", "")), " "), subject[l.Number]) {
			continue // the notes do not have it yet
		}
		checked++
		found := []string{}
		for _, p := range proofOf(t, post(t, server, "/v1/chat/completions", chat(l.Question)).body).Passages {
			found = append(found, strings.TrimSuffix(strings.TrimSuffix(p.Source, "doc.go"), "/"))
		}
		require.Contains(t, found, strings.TrimPrefix(l.Notes, "."), "L%d %s", l.Number, l.Question)
	}
	require.Greater(t, checked, 8)
}

// TestUncited: what a reader takes for a claim, and only that.
func TestUncited(t *testing.T) {
	const text = "Showing results for: keys\n\n**About “keys”**\n\n> **manual › Keys**\n> Keys are rotated. [1]\n\n# A heading of it\n\nSomebody said so once."
	a := &service.Answer{Text: text}
	for _, s := range []string{"Showing results for: keys", "About “keys”", "Keys are rotated.", "A heading of it", "Somebody said so once."} {
		at := strings.Index(text, s)
		a.Checked.Uncited = append(a.Checked.Uncited, [2]int{at, at + len(s)})
	}
	got := uncited(a)
	require.Len(t, got, 1)
	require.Equal(t, "Somebody said so once.", text[got[0][0]:got[0][1]])
	a.Text = rag.UnknownAnswer
	require.Empty(t, uncited(&service.Answer{Text: a.Text, Checked: rag.CitationReport{Uncited: [][2]int{{0, len(a.Text)}}}}))
}

// TestEvidenceSurvivesAClientThatLeaves: similarity explains an answer and is never
// the reason that there is none.
func TestEvidenceSurvivesAClientThatLeaves(t *testing.T) {
	s, err := service.New(t.Context(), service.Options{NoCourse: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	_, err = s.Ingest(t.Context(), manual, nil)
	require.NoError(t, err)
	a, err := s.Ask(t.Context(), service.Question{Text: "Who won the cup?"})
	require.NoError(t, err)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	body := New(s, Options{}).evidence(gone, "Who won the cup?", a)
	require.Len(t, body["passages"], len(a.Passages), fmt.Sprint(body))
}
