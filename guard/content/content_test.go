package content

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
)

// The set was written for this package, in the wordings that current models use; it was
// not taken from their answers.
func TestRefusals(t *testing.T) {
	f, err := os.Open("testdata/refusals.jsonl")
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	r, err := NewRefusals(nil)
	require.NoError(t, err)
	var seen, all, wrong, ordinary int
	for s := bufio.NewScanner(f); s.Scan(); {
		var row struct {
			ID, Text string
			Refusal  int
		}
		require.NoError(t, json.Unmarshal(s.Bytes(), &row))
		is := r.Is(row.Text)
		if row.Refusal == 1 {
			all++
			if is {
				seen++
			} else {
				t.Logf("not seen: %s", row.Text)
			}
		} else {
			ordinary++
			if is {
				wrong++
				t.Logf("taken for a refusal: %s", row.Text)
			}
		}
	}
	t.Logf("%d of %d refusals seen, %d of %d other answers taken for one", seen, all, wrong, ordinary)
	require.GreaterOrEqual(t, float64(seen)/float64(all), .95)
	require.LessOrEqual(t, float64(wrong)/float64(ordinary), .05)
	own, err := NewRefusals(&RefusalOptions{Phrases: []string{"Only lamps  are our business"}})
	require.NoError(t, err)
	require.True(t, own.Is("Hm. only LAMPS are our business."))
	require.False(t, r.Is("Hm. only LAMPS are our business."))
	for _, p := range []string{"", "  ", "sorry"} {
		_, err := NewRefusals(&RefusalOptions{Phrases: []string{p}})
		require.ErrorIs(t, err, ErrOption)
	}
	require.False(t, r.Is(""))
	long := strings.Repeat("The lamp has three settings. ", 60)
	require.False(t, r.Is(long+"The old one, I can't describe it better, was dim. "+long), "in the middle of an answer")
	require.True(t, r.Is(long+"I'm sorry, but I can't help with the rest."))
}

func TestLeak(t *testing.T) {
	const secret = "You are the assistant of a shop that sells lamps. Never talk about the price list of next year, and answer in at most three sentences."
	l, err := NewLeak(secret, nil)
	require.NoError(t, err)
	for text, want := range map[string]bool{
		secret: true,
		"My instructions: you are the assistant of a shop that sells lamps.": true,
		base64.StdEncoding.EncodeToString([]byte(secret)):                    true,
		strings.ToUpper(secret):                                                   true,
		strings.Join(strings.Split(secret, " "), "\n"):                            true,
		strings.Join(strings.Split(strings.ReplaceAll(secret, " ", ""), ""), " "): true,
		"I am the assistant of a shop, and I can tell you which lamps we have.":   false,
		"":                                      false,
		"We sell lamps. Which one do you need?": false,
	} {
		require.Equal(t, want, l.Is(text), text)
	}
	for _, o := range []*LeakOptions{{Words: 1}, {Share: 2}, {Words: 1000}} {
		_, err := NewLeak(secret, o)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err = NewLeak("too short", nil)
	require.ErrorIs(t, err, ErrOption)
}

func TestLanguage(t *testing.T) {
	for text, want := range map[string]string{
		"The train to the coast leaves at nine in the morning.":                          "en",
		"Der Zug an die Küste fährt um neun Uhr morgens ab.":                             "de",
		"Le train pour la côte part à neuf heures du matin.":                             "fr",
		"El tren hacia la costa sale a las nueve de la mañana.":                          "es",
		"O comboio para a costa parte às nove horas da manhã, e não espera por ninguém.": "pt",
		"Il treno per la costa parte alle nove del mattino.":                             "it",
		"De trein naar de kust vertrekt om negen uur 's ochtends.":                       "nl",
		"Pociąg nad morze odjeżdża o dziewiątej rano.":                                   "pl",
		"Поезд к побережью отправляется в девять часов утра.":                            "ru",
		"开往海边的火车早上九点出发。":                                                                 "zh",
		"海岸行きの電車は朝九時に出発します。":                                                             "ja",
		"해안으로 가는 기차는 아침 아홉 시에 출발합니다.":                                                    "ko",
		"Το τρένο φεύγει στις εννέα.":                                                    "el",
		"ok": "", "": "", "12345 67890": "", "```go\nfunc main() {}\n```": "",
	} {
		got, ok := Language(text)
		if want == "" {
			require.False(t, ok, "%q: %s", text, got)
			continue
		}
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
		for range 20 { // lingua-rs#17: the same text gave two languages in turn
			again, _ := Language(text)
			require.Equal(t, got, again)
		}
	}
	c, err := LanguageCheck("en", "de")
	require.NoError(t, err)
	for text, n := range map[string]int{"The train leaves at nine in the morning.": 0, "Le train pour la côte part à neuf heures du matin.": 1, "": 0, "ok": 0} {
		found, err := c.Find(context.Background(), text)
		require.NoError(t, err)
		require.Len(t, found, n, text)
	}
	_, err = LanguageCheck()
	require.ErrorIs(t, err, ErrOption)
	_, err = LanguageCheck("xx")
	require.ErrorIs(t, err, ErrOption)
}

func TestBans(t *testing.T) {
	b, err := NewBans([]string{"ass", "competitor lamp", "verboten", "he", "she", "hers", "лампа"}, &BanOptions{Allow: []string{"she sells"}})
	require.NoError(t, err)
	for text, want := range map[string][]string{
		"a class of its own":          nil,
		"an ASS, they said":           {"an :ass"},
		"the Competitor   Lamp":       {"the :competitor lamp"},
		"com\u200bpetitor-la\u0301mp": {":competitor lamp"},
		"ｖｅｒｂｏｔｅｎ!":                   {":verboten"},
		"vеrbоten (Cyrillic е and о)": {":verboten"},
		"she sells shells":            nil,
		"ushers":                      nil,
		"she":                         {":she"},
		"Лампа":                       {":лампа"},
		"":                            nil,
	} {
		var got []string
		for _, x := range b.Find(text) {
			got = append(got, text[:x.Start]+":"+x.Phrase)
			require.NotEmpty(t, text[x.Start:x.End])
		}
		require.Equal(t, want, got, text)
	}
	inside, err := NewBans([]string{"he", "she", "his", "hers"}, &BanOptions{Inside: true})
	require.NoError(t, err)
	require.Len(t, inside.Find("ushers"), 3) // Aho and Corasick's own example
	for _, p := range [][]string{nil, {""}, {"..."}} {
		_, err := NewBans(p, nil)
		require.ErrorIs(t, err, ErrOption)
	}
	found, err := b.Check().Find(context.Background(), "an ass")
	require.NoError(t, err)
	require.Equal(t, []guard.Finding{{Kind: "BANNED", Start: 3, End: 6, Score: 1, Reason: "a phrase of the ban list"}}, found)
}

// words embeds a text as the counts of a few words.
type words []string

func (w words) EmbedDocuments(_ context.Context, texts []string) ([][]float32, error) {
	var out [][]float32
	for _, t := range texts {
		v := make([]float32, len(w))
		for i, x := range w {
			v[i] = float32(strings.Count(strings.ToLower(t), x))
		}
		out = append(out, v)
	}
	return out, nil
}

func (w words) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	v, err := w.EmbedDocuments(ctx, []string{text})
	return v[0], err
}

func TestTopics(t *testing.T) {
	e := words{"vote", "party", "lamp", "bulb"}
	topics, err := NewTopics(context.Background(), e, []Topic{{"politics", []string{"Which party should I vote for?"}}, {"lamps", []string{"A lamp with a bulb."}}}, nil)
	require.NoError(t, err)
	// One sentence about politics in 5,000 words about nothing: the same score as alone.
	filler := strings.Repeat("We open at nine in the morning on each day of the week. ", 400)
	alone, err := topics.Scores(context.Background(), "Vote for this party.")
	require.NoError(t, err)
	hidden, err := topics.Scores(context.Background(), filler+"Vote for this party. "+filler)
	require.NoError(t, err)
	require.InDelta(t, alone[0].Score, hidden[0].Score, 1e-9)
	require.InDelta(t, 1, hidden[0].Score, 1e-6)
	found, err := topics.Check().Find(context.Background(), filler+"Vote for this party. ")
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "the topic politics", found[0].Reason)
	none, err := topics.Scores(context.Background(), "")
	require.NoError(t, err)
	require.Empty(t, none)
	_, err = NewTopics(context.Background(), nil, []Topic{{"a", []string{"b"}}}, nil)
	require.ErrorIs(t, err, ErrOption)
	for _, tt := range [][]Topic{nil, {{"", []string{"b"}}}, {{"a", nil}}} {
		_, err = NewTopics(context.Background(), e, tt, nil)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err = NewTopics(context.Background(), e, []Topic{{"a", []string{"b"}}}, &TopicOptions{Threshold: math.NaN()})
	require.ErrorIs(t, err, ErrOption)
}

func TestToxic(t *testing.T) {
	ctx := context.Background()
	x, err := NewToxic(nil)
	require.NoError(t, err)
	score := func(text string) float64 {
		s, _, _, err := x.Score(ctx, text)
		require.NoError(t, err)
		return s
	}
	for _, text := range []string{"You are an idiot.", "you're all pathetic losers", "I will kill you.", "Go back to your country!", "YOU ARE WORTHLESS", "those people are vermin", "fuck off", "y0u: kill yourself"} {
		require.GreaterOrEqual(t, score(text), .5, text)
	}
	for _, text := range []string{"", "Hello, how are you?", "The word \"idiot\" comes from Greek.", "You are not stupid.", "This is a pathetic fallacy in literature.", "How do I kill a process that hangs?", "The pig is in the barn.", "He said that the loser pays the costs.", "The joke about the clown was funny."} {
		require.Less(t, score(text), .5, text)
	}
	require.Equal(t, score("you are stupid"), score("you are stupid."), "a full stop changes nothing")
	// detoxify#56: names and identity words in neutral sentences.
	for _, name := range strings.Fields("Anna Mohammed Ngozi Dick Fanny Gaylord Wang Kumar Nguyen Cohen Dikshit Fuchs Shitakubo Mustafa Aisha Olga Kim Jesus Rusty Randy Willy Pawan Lee Cox Assad Hoare") {
		require.Zero(t, score("My name is "+name+"."), name)
	}
	for _, group := range strings.Fields("black white gay lesbian trans straight muslim jewish christian hindu atheist asian african german mexican deaf blind disabled autistic old young poor rich female male") {
		require.Zero(t, score("I am a "+group+" person."), group)
		require.Zero(t, score("My neighbor is "+group+"."), group)
	}
	long := strings.Repeat("We open at nine in the morning. ", 500)
	require.Equal(t, score("You are an idiot."), score(long+"You are an idiot. "+long))
	x, err = NewToxic(&ToxicOptions{Phrases: map[string]float64{"lampist": .9}, Allow: []string{"stupid question"}, Classify: func(_ context.Context, s string) (float64, error) {
		if strings.Contains(s, "subtle") {
			return .8, nil
		}
		return 0, nil
	}})
	require.NoError(t, err)
	for text, want := range map[string]float64{"a lampist": .9, "your stupid question": 0, "something subtle": .8} {
		require.InDelta(t, want, score(text), 1e-9, text)
	}
	found, err := x.Check().Find(ctx, "Fine. Something subtle.")
	require.NoError(t, err)
	require.Equal(t, 6, found[0].Start)
	for _, o := range []*ToxicOptions{{Threshold: 2}, {Phrases: map[string]float64{"a": 2}}, {Phrases: map[string]float64{"": 1}}} {
		_, err := NewToxic(o)
		require.ErrorIs(t, err, ErrOption)
	}
}

// The trained classifier finds what no list has, and keeps below the threshold for names,
// groups and talk about words. The last two sentences are mistakes that its comment names.
func TestClassifier(t *testing.T) {
	classify, err := NewClassifier(nil)
	require.NoError(t, err)
	list, err := NewToxic(nil)
	require.NoError(t, err)
	both, err := NewToxic(&ToxicOptions{Classify: classify})
	require.NoError(t, err)
	score := func(x *Toxic, text string) float64 {
		s, _, _, err := x.Score(t.Context(), text)
		require.NoError(t, err)
		return s
	}
	for _, text := range []string{"What a bunch of clueless hypocrites you people are.", "Your stupidity is only matched by your ignorance.", "We met at nine. What a bunch of clueless hypocrites you people are."} {
		require.Less(t, score(list, text), .5, text)
		require.GreaterOrEqual(t, score(both, text), .5, text)
	}
	for _, text := range []string{"", "Hello, how are you?", "The word \"idiot\" comes from Greek.", "How do I kill a process that hangs?", "The pig is in the barn.", "Can I return a lamp after 40 days?", "My order is late and I am angry."} {
		require.Less(t, score(both, text), .5, text)
	}
	for _, name := range strings.Fields("Anna Mohammed Ngozi Dick Fanny Gaylord Wang Kumar Cohen Dikshit Fuchs Shitakubo Mustafa Aisha Jesus Cox Hoare") {
		require.Less(t, score(both, "My name is "+name+"."), .5, name)
	}
	for _, group := range strings.Fields("black white gay lesbian trans straight muslim jewish christian hindu atheist asian african german mexican deaf blind disabled autistic old young poor rich female male") {
		require.Less(t, score(both, "I am a "+group+" person."), .5, group)
		require.Less(t, score(both, "My neighbor is "+group+"."), .5, group)
	}
	for _, text := range []string{"Your service is terrible.", "This is a pathetic fallacy in literature."} {
		require.GreaterOrEqual(t, score(both, text), .5, text)
	}
	_, err = NewClassifier(&ClassifierOptions{Weights: "PDI1"})
	require.ErrorIs(t, err, ErrOption)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = classify(ctx, "a")
	require.ErrorIs(t, err, context.Canceled)
}

// NeMo Guardrails#2044 and #2045: prose and errors were taken for "safe".
func TestModerationFailsClosed(t *testing.T) {
	for reply, want := range map[string]string{
		`{"unsafe":false,"category":"none"}`: "safe", ` {"unsafe": true, "category": "hate"} `: "unsafe",
		"Not safe.": "error", "safe unsafe": "error", "safe": "error", "": "error", "{}": "error", `{"unsafe":"false"}`: "error", `{"unsafe":false}{"unsafe":true}`: "error", `{"unsafe":false,"x":1}`: "error",
	} {
		c, err := Moderation(&modeltest.Script{Turns: []modeltest.Turn{{Chunks: modeltest.Words(reply), Times: -1}}})
		require.NoError(t, err)
		found, err := c.Find(context.Background(), "a text")
		switch want {
		case "error":
			require.ErrorIs(t, err, ErrModeration, reply)
		case "safe":
			require.NoError(t, err)
			require.Empty(t, found)
		default:
			require.NoError(t, err)
			require.Len(t, found, 1)
		}
	}
	c, err := Moderation(&modeltest.Script{Turns: []modeltest.Turn{{Err: errors.New("down"), Times: -1}}})
	require.NoError(t, err)
	_, err = c.Find(context.Background(), "a text")
	require.ErrorIs(t, err, ErrModeration)
	found, err := c.Find(context.Background(), "  ") // guardrails#1293: an empty text has nothing to check
	require.NoError(t, err)
	require.Empty(t, found)
	_, err = Moderation(nil)
	require.ErrorIs(t, err, ErrOption)
}

func TestGround(t *testing.T) {
	g, err := NewGround(nil)
	require.NoError(t, err)
	claims, err := g.Check(context.Background(), "Hello! The shop opens at 9. It opens at 10 on Sundays. Do you want more? I don't know the price.", []string{"The shop opens at 9."})
	require.NoError(t, err)
	var states []string
	for _, c := range claims {
		states = append(states, c.State.String())
	}
	require.Equal(t, []string{"none", "supported", "unsupported", "none", "none"}, states)
	claims, err = g.Check(context.Background(), "The shop opens at 10.", []string{"The shop opens at 9."})
	require.NoError(t, err)
	require.Equal(t, ClaimContradicts, claims[0].State)
	require.Equal(t, "another number", claims[0].Reason)
	claims, err = g.Check(context.Background(), "The shop opens at 9.", nil)
	require.NoError(t, err)
	require.Equal(t, ClaimUnsupported, claims[0].State)
	with, err := NewGround(&GroundOptions{Embedder: words{"shop", "open", "nine", "close"}})
	require.NoError(t, err)
	_, err = with.Check(context.Background(), "The shop opens early.", []string{"The shop opens."})
	require.NoError(t, err)
	for _, o := range []*GroundOptions{{Words: 2}, {Order: -1}, {Cosine: math.NaN()}} {
		_, err := NewGround(o)
		require.ErrorIs(t, err, ErrOption)
	}
}

func TestGroundAsksAJudge(t *testing.T) {
	for reply, want := range map[string]ClaimState{
		`{"supported":true,"passage":1}`: ClaimSupported, `{"supported":false,"passage":0}`: ClaimUnsupported,
		`{"supported":true,"passage":2}`: 0, `{"supported":true}`: 0, "yes": 0, "": 0,
	} {
		g, err := NewGround(&GroundOptions{Judge: &modeltest.Script{Turns: []modeltest.Turn{{Chunks: modeltest.Words(reply), Times: -1}}}})
		require.NoError(t, err)
		claims, err := g.Check(context.Background(), "Both twins are older than nine.", []string{"Ana is ten, and so is Bob."})
		if want == 0 {
			require.ErrorIs(t, err, ErrJudge, reply)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want, claims[0].State, reply)
		// Without a passage, and for a contradiction, nothing is asked.
		claims, err = g.Check(context.Background(), "The shop opens at 10.", []string{"The shop opens at 9."})
		require.NoError(t, err)
		require.Equal(t, ClaimContradicts, claims[0].State)
	}
}

func FuzzContent(f *testing.F) {
	f.Add("I can't help with that.", "The shop opens at 9.")
	f.Add("você é \u202e", "\xff\xfe")
	l, err := NewLeak("one two three four five six seven eight", nil)
	require.NoError(f, err)
	b, err := NewBans([]string{"one two", "ß", "e"}, &BanOptions{Inside: true})
	require.NoError(f, err)
	r, err := NewRefusals(nil)
	require.NoError(f, err)
	g, err := NewGround(nil)
	require.NoError(f, err)
	classify, err := NewClassifier(nil)
	require.NoError(f, err)
	x, err := NewToxic(&ToxicOptions{Classify: classify})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, a, p string) {
		r.Is(a)
		l.Is(a)
		Language(a)
		for _, ban := range b.Find(a) {
			require.True(t, 0 <= ban.Start && ban.Start < ban.End && ban.End <= len(a))
		}
		claims, err := g.Check(context.Background(), a, []string{p})
		require.NoError(t, err)
		for _, c := range claims {
			require.True(t, 0 <= c.Start && c.Start < c.End && c.End <= len(a))
			require.NotZero(t, c.State)
		}
		score, start, end, err := x.Score(context.Background(), a)
		require.NoError(t, err)
		require.True(t, 0 <= score && score <= 1 && 0 <= start && start <= end && end <= len(a))
	})
}
