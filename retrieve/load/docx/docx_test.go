package docx_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/load"
	"github.com/prodailabs/prodai/retrieve/load/docx"
)

// testdata/manual.docx was written by python-docx 1.2 (headings, a hidden run, a tab, a table, a list).
func manual(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/manual.docx")
	require.NoError(t, err)
	return data
}

func TestLoad(t *testing.T) {
	data := manual(t)
	d, err := docx.Load(t.Context(), "m.docx", bytes.NewReader(data), nil)
	require.NoError(t, err)
	require.Equal(t, "Shop manual", d.Title)
	require.Equal(t, "Ada", d.Meta["author"])
	require.Equal(t, "Shop manual\n\nWelcome to the shop & more <today>.\n\nRefunds\n\nRefunds take 30 days.\n\nGift cards\n\nGift cards have no refund.\n\nItem | Price\nToaster | 20 €\n\nHours\n\nOpen at nine.\n\nClosed on Sunday.", strings.TrimSpace(d.Text))
	var headings []string
	for _, s := range d.Sections {
		headings = append(headings, s.Heading)
	}
	require.Equal(t, []string{"Shop manual", "Refunds", "Refunds > Gift cards", "Hours"}, headings)
	part := body(t, data)
	for text, want := range map[string]string{"30 days": "30 days", "shop &": "Welcome to the shop &amp; more &lt;today&gt;.", "Toaster": "Toaster"} {
		at := strings.Index(d.Text, text)
		p, ok := d.Place(at, at+len(text))
		require.True(t, ok)
		require.Equal(t, "word/document.xml", p.Part)
		require.Equal(t, want, part[p.Start:p.End])
	}
	at := strings.Index(d.Text, "30 days")
	p, _ := d.Place(at, at+1)
	require.Equal(t, 4, p.Paragraph)
	require.Equal(t, 4, d.Documents()[1].Metadata["paragraph"].(int)+1, "the section begins at its heading")
}

func body(t testing.TB, data []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	f, err := z.Open("word/document.xml")
	require.NoError(t, err)
	b, err := io.ReadAll(f)
	require.NoError(t, err)
	return string(b)
}

func archive(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		method := zip.Deflate
		if parts[name] == "" { // a compressor for each of many takes long
			method = zip.Store
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		require.NoError(t, err)
		_, err = io.WriteString(w, parts[name])
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

const head = `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`

func loadBody(t testing.TB, xml string, o *load.Options) (*load.Document, error) {
	t.Helper()
	return docx.Load(context.Background(), "f", bytes.NewReader(archive(t, map[string]string{"word/document.xml": xml})), o)
}

func TestWhatIsLeftOut(t *testing.T) {
	d, err := loadBody(t, head+`<w:p><w:r><w:t>kept</w:t></w:r><w:del><w:r><w:t>moved</w:t><w:delText>deleted</w:delText></w:r></w:del>`+
		`<w:ins><w:r><w:t xml:space="preserve"> and new</w:t></w:r></w:ins><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:rPr><w:vanish w:val="false"/></w:rPr><w:t>.</w:t></w:r>`+
		`<w:r><w:instrText>HYPERLINK</w:instrText></w:r></w:p></w:body></w:document>`, nil)
	require.NoError(t, err)
	require.Equal(t, "kept and new.", strings.TrimSpace(d.Text))
}

func TestDamagedFiles(t *testing.T) {
	data := manual(t)
	for i := 0; i < len(data); i += len(data) / 20 {
		_, err := docx.Load(t.Context(), "f", bytes.NewReader(data[:i]), nil)
		require.ErrorIs(t, err, load.ErrFormat, "cut at %d", i)
	}
	for _, xml := range []string{"", "<a", "<a><b></a>", "</a>", head, "<a>&x;</a>", `<?xml version="1.0" encoding="latin1"?><a/>`} {
		_, err := loadBody(t, xml, nil)
		if xml == "" || xml == "<a><b></a>" {
			continue // no text, or elements that RawToken doesn't match: nothing is read of it
		}
		require.ErrorIs(t, err, load.ErrFormat, xml)
	}
	_, err := docx.Load(t.Context(), "f", bytes.NewReader(archive(t, map[string]string{"x": ""})), nil)
	require.ErrorIs(t, err, load.ErrFormat)
	_, err = docx.Load(t.Context(), "f", strings.NewReader("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 a .doc"), nil)
	require.ErrorIs(t, err, load.ErrFormat)
	_, err = docx.Load(t.Context(), "f", strings.NewReader("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"+strings.Join(strings.Split("EncryptedPackage", ""), "\x00")+"\x00"), nil)
	require.ErrorIs(t, err, load.ErrEncrypted)
}

func TestHostileArchives(t *testing.T) {
	var limit *load.LimitError
	bomb := head + strings.Repeat("<w:p/>", 1_500_000/6)
	_, err := loadBody(t, bomb, &load.Options{MaxUnpacked: 1 << 20})
	require.ErrorAs(t, err, &limit)
	require.Equal(t, "unpacked data", limit.What)
	// The bomb is in another part.
	_, err = docx.Load(t.Context(), "f", bytes.NewReader(archive(t, map[string]string{"word/document.xml": head, "word/styles.xml": bomb})), &load.Options{MaxUnpacked: 1 << 20})
	require.ErrorAs(t, err, &limit)
	_, err = loadBody(t, strings.Repeat("<a>", 100_000), nil)
	require.ErrorAs(t, err, &limit)
	require.Equal(t, "depth", limit.What)
	_, err = loadBody(t, head+"<w:p><w:r><w:t>"+strings.Repeat("x", 10_000), &load.Options{MaxText: 1000})
	require.ErrorAs(t, err, &limit)
	require.Equal(t, "text", limit.What)
	many := map[string]string{}
	for i := range 10_001 {
		many[strings.Repeat("a", 1+i%100)+string(rune(0x4e00+i))] = ""
	}
	_, err = docx.Load(t.Context(), "f", bytes.NewReader(archive(t, many)), nil)
	require.ErrorAs(t, err, &limit)
	require.Equal(t, "parts", limit.What)
	// Entities that name one another grow without end in other readers.
	_, err = loadBody(t, `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><a>&b;</a>`, nil)
	require.ErrorIs(t, err, load.ErrFormat)
}

func FuzzBody(f *testing.F) {
	f.Add([]byte(body(f, manual(f))))
	f.Add([]byte(head + `<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t><w:tab/><w:br/></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>`))
	f.Fuzz(func(t *testing.T, xml []byte) {
		check(t, archive(t, map[string]string{"word/document.xml": string(xml), "word/styles.xml": string(xml), "docProps/core.xml": string(xml)}), len(xml))
	})
}

func FuzzLoad(f *testing.F) {
	f.Add(archive(f, map[string]string{"word/document.xml": head + "<w:p><w:r><w:t>a</w:t></w:r></w:p></w:body></w:document>"}))
	f.Add([]byte("PK"))
	f.Fuzz(func(t *testing.T, data []byte) { check(t, data, 1<<30) })
}

func check(t *testing.T, data []byte, size int) {
	t.Helper()
	d, err := docx.Load(t.Context(), "f", bytes.NewReader(data), &load.Options{MaxUnpacked: 4 << 20, MaxText: 1 << 20})
	var limit *load.LimitError
	if err != nil {
		if !errors.Is(err, load.ErrFormat) && !errors.Is(err, load.ErrEncrypted) && !errors.As(err, &limit) {
			t.Fatal(err)
		}
		return
	}
	for i := 0; i+3 <= len(d.Text); i += 3 {
		if p, ok := d.Place(i, i+3); ok && (p.Start < 0 || p.End < p.Start || p.End > size || p.Paragraph < 0) {
			t.Fatalf("place %+v", p)
		}
	}
}
