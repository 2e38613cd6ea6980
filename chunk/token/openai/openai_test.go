package openai

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/internal/golden"
)

// tokensRow has, for each encoding, the ids, or their number and checksum where
// there are many.
type tokensRow struct {
	Text string
	rest map[string]json.RawMessage
}

func (r *tokensRow) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &r.rest); err != nil {
		return err
	}
	return json.Unmarshal(r.rest["text"], &r.Text)
}

func (r *tokensRow) check(e *token.Encoding, column string) error {
	ids := e.Encode(r.Text)
	if n := e.Count(r.Text); n != len(ids) {
		return fmt.Errorf("%s: Count is %d, Encode has %d", e.Name(), n, len(ids))
	}
	if back, err := e.Decode(ids); err != nil || back != r.Text {
		return fmt.Errorf("%s: decoded to %q, %v", e.Name(), back, err)
	}
	if raw, ok := r.rest[column]; ok {
		var want []int
		if err := json.Unmarshal(raw, &want); err != nil {
			return err
		}
		if !slices.Equal(ids, want) {
			return fmt.Errorf("%s: %q: got %v, want %v", e.Name(), r.Text, ids, want)
		}
		return nil
	}
	var n int
	var sum string
	if err := errors.Join(json.Unmarshal(r.rest[column+"_n"], &n), json.Unmarshal(r.rest[column+"_sha256"], &sum)); err != nil {
		return err
	}
	h := sha256.New()
	for _, id := range ids {
		h.Write(binary.LittleEndian.AppendUint32(nil, uint32(id)))
	}
	if got := hex.EncodeToString(h.Sum(nil)); n != len(ids) || got != sum {
		return fmt.Errorf("%s: %.40q…: %d tokens with checksum %s, want %d with %s", e.Name(), r.Text, len(ids), got, n, sum)
	}
	return nil
}

func TestGoldenTokens(t *testing.T) {
	golden.Rows(t, "chunk", "tokens.jsonl", func(r tokensRow) error {
		for _, name := range Names() {
			e, err := Encoding(name)
			if err != nil {
				return err
			}
			column := name
			switch name {
			case "p50k_edit":
				column = "p50k_base"
			case "o200k_harmony":
				column = "o200k_base"
			}
			if err := r.check(e, column); err != nil {
				return err
			}
		}
		return nil
	})
}

type set struct{ token.SpecialSet }

func (s *set) UnmarshalJSON(data []byte) error {
	if string(data) == `"all"` {
		s.SpecialSet = token.AllSpecial()
		return nil
	}
	var names []string
	err := json.Unmarshal(data, &names)
	s.SpecialSet = token.OnlySpecial(names...)
	return err
}

func TestGoldenSpecialTokens(t *testing.T) {
	golden.Rows(t, "chunk", "special_tokens.jsonl", func(r struct {
		Encoding, Text      string
		Allowed, Disallowed set
		Tokens              []int
		Error, Which        string
	}) error {
		e, err := Encoding(r.Encoding)
		if err != nil {
			return err
		}
		ids, err := e.EncodeSpecial(r.Text, r.Allowed.SpecialSet, r.Disallowed.SpecialSet)
		var special *token.SpecialTokenError
		switch {
		case r.Error != "" && errors.As(err, &special):
			if special.Token != r.Which || r.Text[special.Offset:special.Offset+len(r.Which)] != r.Which {
				return fmt.Errorf("%w, want %q", err, r.Which)
			}
			return nil
		case r.Error != "" || err != nil:
			return fmt.Errorf("%q: got %v, want an error: %q", r.Text, err, r.Error)
		case !slices.Equal(ids, r.Tokens):
			return fmt.Errorf("%q: got %v, want %v", r.Text, ids, r.Tokens)
		}
		back, err := e.Decode(ids)
		// If one token has two names, only one of them can be returned.
		if err != nil || back != r.Text && !strings.Contains(r.Text, "<|reserved_200018|>") {
			return fmt.Errorf("%q: decoded to %q, %v", r.Text, back, err)
		}
		return nil
	})
}

// TestRanksAreTheFilesOpenAIPublishes rebuilds each .tiktoken file from the ranks
// in the program.
func TestRanksAreTheFilesOpenAIPublishes(t *testing.T) {
	for name, want := range map[string]string{ // the hashes in tiktoken's source
		"r50k_base":   "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
		"p50k_base":   "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
		"cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
		"o200k_base":  "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
	} {
		e, err := Encoding(name)
		require.NoError(t, err)
		h := sha256.New()
		_, err = e.Ranks().WriteTo(h)
		require.NoError(t, err)
		require.Equal(t, want, hex.EncodeToString(h.Sum(nil)), name)
	}
}

// TestPlainRanksGiveTheSameEncoding leaves out the merges of the packed ranks and
// lets New find them.
func TestPlainRanksGiveTheSameEncoding(t *testing.T) {
	for _, name := range []string{"p50k_base", "cl100k_base"} {
		e, err := Encoding(name)
		require.NoError(t, err)
		var file bytes.Buffer
		_, err = e.Ranks().WriteTo(&file)
		require.NoError(t, err)
		r, err := token.ReadRanks(&file)
		require.NoError(t, err)
		want, err := e.Ranks().MarshalBinary()
		require.NoError(t, err)
		got, err := r.MarshalBinary()
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), name)
	}
}

func TestNames(t *testing.T) {
	for _, name := range append(Names(), "gpt2") {
		e, err := Encoding(name)
		require.NoError(t, err)
		if name != "gpt2" {
			require.Equal(t, name, e.Name())
		}
	}
	_, err := Encoding("o300k")
	require.ErrorIs(t, err, ErrOption)
	require.ErrorContains(t, err, "o300k")
}
