package openai

import (
	"fmt"
	"testing"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/internal/golden"
)

type chatRow struct {
	Model    string
	Messages []token.Message
	Tools    []struct{ Function token.Tool }

	TokensMessages int `json:"tokens_messages"`
	TokensTools    int `json:"tokens_tools"`

	Image          []int
	Detail, Family string
	Tokens         int
	Base           int
	PerTile        int `json:"per_tile"`
	Multiplier     float64
}

func TestGoldenChatCounts(t *testing.T) {
	golden.Rows(t, "chunk", "chat_counts.jsonl", func(r chatRow) error {
		if r.Image != nil {
			return checkImage(r)
		}
		e, err := ForModel(r.Model)
		if err != nil {
			return err
		}
		rule, err := token.ChatRuleOf(r.Model)
		if err != nil {
			return err
		}
		if got := rule.CountMessages(e.Count, r.Messages...); got.Tokens != r.TokensMessages {
			return fmt.Errorf("messages: got %+v, want %d", got, r.TokensMessages)
		}
		var tools []token.Tool
		for _, tool := range r.Tools {
			tools = append(tools, tool.Function)
		}
		got, err := rule.CountTools(e.Count, tools...)
		if err != nil || got.Tokens != r.TokensTools {
			return fmt.Errorf("tools: got %+v, %v, want %d", got, err, r.TokensTools)
		}
		return nil
	})
}

func checkImage(r chatRow) error {
	rule, err := token.ImageRuleOf(r.Family)
	if err != nil {
		return err
	}
	if want := (token.ImageRule{Base: r.Base, PerTile: r.PerTile, Multiplier: r.Multiplier}); rule != want {
		return fmt.Errorf("rule %+v, want %+v", rule, want)
	}
	n, err := rule.Tokens(token.Image{Width: r.Image[0], Height: r.Image[1], Detail: r.Detail})
	if err != nil || n != r.Tokens {
		return fmt.Errorf("%v %s: got %d, %v, want %d", r.Image, r.Detail, n, err, r.Tokens)
	}
	return nil
}
