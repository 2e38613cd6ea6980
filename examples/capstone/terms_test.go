package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

// TestTerms asks for terms of the notes, by their names and by their other ones, and needs
// a definition in the answer: "What is p2c?". Each eighth name is asked for.
func TestTerms(t *testing.T) {
	if slow {
		t.Skip("one goroutine, slow under the race detector")
	}
	docs, err := corpus.Course()
	require.NoError(t, err)
	item := regexp.MustCompile(`(?m)^- ([^:.?!()\n]{2,60}?)(?: \(also: ([^)]+)\))?: `)
	names := map[string]bool{}
	for _, d := range docs {
		_, terms, _ := strings.Cut(d.Text, "\n## Terms\n")
		terms, _, _ = strings.Cut(terms, "\n## ")
		for _, m := range item.FindAllStringSubmatch(terms, -1) {
			for name := range strings.SplitSeq(m[1]+", "+strings.Join(strings.Fields(m[2]), " "), ", ") {
				names[strings.ToLower(name)] = true
			}
		}
	}
	delete(names, "")
	require.Greater(t, len(names), 1500)

	svc, err := service.New(t.Context(), service.Options{Tenant: evalTenant})
	require.NoError(t, err)
	defer func() { require.NoError(t, svc.Close(t.Context())) }()
	asked, lost := 0, []string(nil)
	for i, name := range slices.Sorted(maps.Keys(names)) {
		if i%8 != 0 {
			continue
		}
		asked++
		question := "What is " + name + "?"
		a, err := svc.Ask(asking(t.Context(), question), service.Question{Text: question})
		require.NoError(t, err)
		defined := slices.ContainsFunc(strings.Split(a.Text, "\n"), func(line string) bool {
			head, _, others := strings.Cut(line, "): ") // after "(also: ..."
			if !others {
				head, _, _ = strings.Cut(line, ": ")
			}
			return strings.HasPrefix(line, "> ") && strings.Contains(strings.ToLower(head), name)
		})
		if !defined {
			lost = append(lost, name)
		}
	}
	t.Logf("%d asked, without a definition: %q", asked, lost)
	require.LessOrEqual(t, len(lost), asked/50)
}
