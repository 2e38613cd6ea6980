package langchain_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/langchain"
	"github.com/prodailabs/prodai/internal/golden"
)

type goldenSection struct {
	T    string            `json:"t"`
	Meta map[string]string `json:"meta"`
}

func sameSections(got []langchain.Section, want []goldenSection) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d sections, want %d", len(got), len(want))
	}
	for i, w := range want {
		if got[i].Text != w.T || !maps.Equal(got[i].Meta, w.Meta) {
			return fmt.Errorf("section %d is %q %v, want %q %v", i, got[i].Text, got[i].Meta, w.T, w.Meta)
		}
	}
	return nil
}

func TestGoldenMarkdownHeader(t *testing.T) {
	docs := readDocs(t)
	golden.Rows(t, "chunk", "markdown_header.jsonl", func(row struct {
		Doc          string
		Headers      [][2]string
		StripHeaders bool `json:"strip_headers"`
		EachLine     bool `json:"each_line"`
		Experimental bool
		Chunks       []goldenSection
	}) error {
		text := docs.Docs[row.Doc]
		if row.Experimental {
			return sameSections(langchain.MarkdownSyntax(text), row.Chunks)
		}
		var headers []langchain.Header
		for _, h := range row.Headers {
			headers = append(headers, langchain.Header{Mark: h[0], Name: h[1]})
		}
		return sameSections(langchain.Markdown(text, headers, &langchain.MarkdownOptions{KeepHeaders: !row.StripHeaders, EachLine: row.EachLine}), row.Chunks)
	})
}

func TestGoldenHTMLJSON(t *testing.T) {
	var docs struct {
		HTML map[string]string          `json:"html"`
		JSON map[string]json.RawMessage `json:"json"`
	}
	require.NoError(t, json.Unmarshal(golden.Read(t, "chunk", "docs.json"), &docs))
	golden.Rows(t, "chunk", "html_json.jsonl", func(row struct {
		Kind, Doc, Error string
		Max              int
		ConvertLists     bool `json:"convert_lists"`
		Chunks           json.RawMessage
	}) error {
		if row.Kind == "html_header" {
			var want []goldenSection
			if err := json.Unmarshal(row.Chunks, &want); err != nil {
				return err
			}
			got, err := langchain.HTML(docs.HTML[row.Doc], []langchain.Header{{Mark: "h1", Name: "H1"}, {Mark: "h2", Name: "H2"}, {Mark: "h3", Name: "H3"}})
			if err != nil {
				return err
			}
			return sameSections(got, want)
		}
		got, err := langchain.JSON(docs.JSON[row.Doc], &langchain.JSONOptions{Size: row.Max, ConvertLists: row.ConvertLists})
		if row.Error != "" {
			if err == nil {
				return fmt.Errorf("no error, want one like %s", row.Error)
			}
			return nil
		}
		if err != nil {
			return err
		}
		var want []any
		if err := json.Unmarshal(row.Chunks, &want); err != nil {
			return err
		}
		have := []any{}
		for _, text := range got {
			var v any
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				return err
			}
			have = append(have, v)
		}
		if !reflect.DeepEqual(have, want) {
			return fmt.Errorf("%v, want %v", have, want)
		}
		return nil
	})
}
