package service

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/guard/defaults"
	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/sink"
)

// guardOf puts the default checks around a model, with four changes. Personal data
// are redacted from answers. Addresses that may not be links stay readable.
// Injected instructions are flagged only: the passages are marked as material
// anyway, and the course itself quotes attacks. The model may call no tool, so that
// there is nothing an attack could make it do.
func (s *Service) guardOf(next llms.Model, log *slog.Logger, change func(*guard.Options)) (*guard.Model, error) {
	o, err := defaults.New(&defaults.Options{
		Injection:       injection.Options{Threshold: 0.5}, // a flag disturbs less than a block
		InjectionPolicy: guard.PolicyFlag,
		PersonalOutput:  guard.PolicyRedact,
		Links:           sink.LinkOptions{Defang: true},
		Tools:           []guard.Tool{},
		Canary:          s.canary,
	})
	if err != nil {
		return nil, err
	}
	o.Tenant, o.Logger = s.tenant, log
	if change != nil {
		change(o)
	}
	return guard.New(next, o)
}

// untrusted registers the passages with the request and returns them marked. The name
// of a document and its headings are as foreign as its text, so they are put between
// the marks too, and not into the prompt around them.
func untrusted(ctx context.Context, passages []schema.Document) []schema.Document {
	texts := make([]string, len(passages))
	for i, p := range passages {
		source, _ := chunk.MetaString(p.Metadata, chunk.KeySource)
		texts[i] = sourceLine + strconv.Quote(source) + "\n\n" + p.PageContent
	}
	out := slices.Clone(passages)
	for i, text := range guard.Untrusted(ctx, texts...) {
		out[i].PageContent = text
		out[i].Metadata = maps.Clone(out[i].Metadata)
		delete(out[i].Metadata, chunk.KeySource)
	}
	return out
}

// sourceLine begins the first line of a passage, as the model sees it.
const sourceLine = "Source: "

// unmark returns a passage without its marks and its source line.
func unmark(ctx context.Context, passage string) string {
	passage = guard.Unmark(ctx, passage)
	if rest, ok := strings.CutPrefix(passage, sourceLine); ok {
		if _, text, ok := strings.Cut(rest, "\n\n"); ok {
			return text
		}
	}
	return passage
}

// maskCut hides the secrets in a document that the end of a passage cuts: no check of a
// passage knows half a key. The passages keep their lengths, so offsets stay right.
func (s *Service) maskCut(text string, chunks []chunk.Chunk) {
	for f := range s.secrets.All(text) {
		for i := range chunks {
			c := &chunks[i]
			from, to := max(c.Start, f.Start), min(c.End, f.End)
			if from < to && (f.Start < c.Start || f.End > c.End) {
				c.Text = c.Text[:from-c.Start] + strings.Repeat("*", to-from) + c.Text[to-c.Start:]
			}
		}
	}
}

// withheld replaces a text that may not leave at all.
const withheld = "[withheld]"

// shown returns the passages as they may leave beside the answer: what the checks of
// the output redact from it is redacted from their texts, headings and names too. A
// passage whose text was changed has no place in its document any more, since offsets
// into the text would point elsewhere.
func (s *Service) shown(ctx context.Context, passages []schema.Document) ([]schema.Document, error) {
	out := slices.Clone(passages)
	for i, p := range passages {
		text, err := s.release(ctx, p.PageContent)
		if err != nil {
			return nil, err
		}
		out[i].PageContent, out[i].Metadata = text, maps.Clone(p.Metadata)
		for _, key := range []string{chunk.KeySource, chunk.KeyHeading} {
			name, ok := chunk.MetaString(p.Metadata, key)
			if !ok {
				continue
			}
			if out[i].Metadata[key], err = s.release(ctx, name); err != nil {
				return nil, err
			}
		}
		if text != p.PageContent {
			delete(out[i].Metadata, chunk.KeyStart)
			delete(out[i].Metadata, chunk.KeyEnd)
		}
	}
	return out, nil
}

// release returns what may leave of a text. A text that left whole once does so again
// without a look: evidence is from outside in every request, so the answer is the same.
func (s *Service) release(ctx context.Context, text string) (string, error) {
	sum := sha256.Sum256([]byte(text))
	if s.whole.has(sum) {
		return text, nil
	}
	out, verdicts, err := s.guarded.CheckOutput(ctx, text)
	if blocked := (*guard.BlockedError)(nil); errors.As(err, &blocked) {
		return withheld, nil // what may not leave is not shown, and the answer goes on
	}
	if err == nil && len(verdicts) == 0 {
		s.whole.add(sum)
	}
	return out, err
}

// A digests is a set of a bounded number of digests. The zero value is an empty one.
type digests struct {
	mu  sync.Mutex
	set map[[sha256.Size]byte]bool
}

// maxDigests bounds the set to a few megabytes; a full one begins anew.
const maxDigests = 1 << 16

func (d *digests) has(sum [sha256.Size]byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.set[sum]
}

func (d *digests) add(sum [sha256.Size]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.set == nil || len(d.set) >= maxDigests {
		d.set = map[[sha256.Size]byte]bool{}
	}
	d.set[sum] = true
}
