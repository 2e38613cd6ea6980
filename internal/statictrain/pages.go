package main

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/net/html"
)

// pages reads the pages of a manual: a heading with its page's title, and the text below
// it. Of each third text, a sentence and the rest are a pair too.
func pages(folder string) (out []pair, err error) {
	ending := ".page"
	_ = filepath.WalkDir(folder, func(path string, _ fs.DirEntry, _ error) error {
		if filepath.Ext(path) == ".html" {
			ending = ".html"
			return fs.SkipAll
		}
		return nil
	})
	err = files(folder, ending, func(data []byte) error {
		root, err := html.Parse(bytes.NewReader(data))
		if err != nil {
			return err
		}
		r := &pageReader{}
		r.walk(root)
		r.flush()
		out = append(out, r.pairs...)
		return nil
	})
	return out, err
}

// A pageReader collects the text below each heading.
type pageReader struct {
	heading string
	text    strings.Builder
	pairs   []pair
}

// skipped are elements without sentences. Mallard's info has a page's links.
var skipped = map[string]bool{
	"script": true, "style": true, "nav": true, "head": true, "pre": true, "table": true,
	"info": true, "code": false, "svg": true, "footer": true, "screen": true,
}

func (r *pageReader) walk(n *html.Node) {
	if n.Type == html.TextNode {
		r.text.WriteString(n.Data)
		return
	}
	name := strings.ToLower(n.Data)
	if n.Type == html.ElementNode && (skipped[name] || attribute(n, "class") == "sphinxsidebar" || attribute(n, "class") == "related") {
		return
	}
	if n.Type == html.ElementNode && isHeading(name) {
		r.flush()
		r.heading = cut(strings.TrimRight(textOf(n), "¶# "))
		return
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		r.walk(c)
	}
	r.text.WriteString(" ")
}

func isHeading(name string) bool {
	return name == "title" || name == "dt" || len(name) == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6'
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
	}
	return b.String()
}

func (r *pageReader) flush() {
	text := strings.TrimSpace(r.text.String())
	r.text.Reset()
	if b := cut(text); len(r.heading) <= 120 && kept(r.heading, b) && strings.Count(b, " ") >= 12 {
		r.pairs = append(r.pairs, pair{A: r.heading, B: b})
		r.pairs = append(r.pairs, insides(text)...)
	}
}
