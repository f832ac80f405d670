// SPDX-License-Identifier: Apache-2.0

// Command traffic is the load of the lab and of the demo. Every request opens a connection of its
// own, so that each passes the Service dataplane anew.
//
//	traffic http   --targets URL,URL… [--concurrency 4] [--timeout 5s] [--rate 0] [--phase NAME]
//	traffic stream --targets HOST:PORT,… [--interval 20ms] [--timeout 10s] [--block 1024] [--ways both,upload,download]
//	traffic udp    --targets HOST:PORT,… [--source-port 0 | --fresh] [--interval 20ms] [--timeout 2s] [--resend 0]
//	traffic serve  --listen :7000
//
// A line on standard input begins a phase of that name; SIGUSR1 begins one named by its number.
// Each phase ends with a line of JSON on standard output, SIGTERM and SIGINT (or --duration, or with
// --until-eof the end of standard input) end all with a summary. The exit status is 0 when no request failed, 1 when one did, 2 for wrong usage.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are what all kinds of load share.
type options struct {
	targets     []string
	concurrency int
	timeout     time.Duration
	interval    time.Duration
	rate        float64
	sourcePort  int
	fresh       bool
	resend      time.Duration
	block       int
	ways        []way
	report      *report
}

func main() {
	if len(os.Args) < 2 {
		usage("name the kind of traffic first: http, stream, udp or serve")
	}
	flags := flag.NewFlagSet("traffic "+os.Args[1], flag.ExitOnError)
	targets := flags.String("targets", "", "where to send, separated by commas")
	listen := flags.String("listen", ":7000", "serve: address of the servers for stream and udp")
	phase := flags.String("phase", "start", "name of the first phase")
	duration := flags.Duration("duration", 0, "end after this time; 0 means at SIGTERM")
	progress := flags.Duration("progress", 0, "print a line of counts this often; 0 means never")
	var o options
	flags.IntVar(&o.concurrency, "concurrency", 4, "http: requests under way at a time")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Second, "time for one request")
	flags.DurationVar(&o.interval, "interval", 20*time.Millisecond, "stream, udp: pause between messages")
	flags.Float64Var(&o.rate, "rate", 0, "http: requests per second in all; 0 means as many as possible")
	flags.IntVar(&o.sourcePort, "source-port", 0, "udp: the client's port; 0 means any")
	flags.BoolVar(&o.fresh, "fresh", false, "udp: a new socket for each message")
	flags.DurationVar(&o.resend, "resend", 0, "udp: send a message again that has no answer for so long; 0 means never")
	flags.IntVar(&o.block, "block", 1024, "stream: bytes of a block")
	where := flags.String("ways", "both", "stream: where blocks go, a connection for each: both (there and back), upload, download")
	untilEOF := flags.Bool("until-eof", false, "end when standard input ends")
	_ = flags.Parse(os.Args[2:])
	if flags.NArg() > 0 {
		usage(fmt.Sprintf("unexpected argument %q", flags.Arg(0)))
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if *duration > 0 {
		ctx, stop = context.WithTimeout(ctx, *duration)
		defer stop()
	}
	if os.Args[1] == "serve" {
		if err := serve(ctx, *listen); err != nil {
			usage(err.Error())
		}
		return
	}
	if *targets == "" || o.concurrency < 1 {
		usage("--targets needs at least one target, --concurrency at least 1")
	}
	if o.block < smallestBlock || o.block > largestBlock {
		usage(fmt.Sprintf("--block must be %d to %d", smallestBlock, largestBlock))
	}
	for _, name := range strings.Split(*where, ",") {
		to, known := ways[name]
		if !known {
			usage(fmt.Sprintf("unknown way %q: use both, upload or download", name))
		}
		o.ways = append(o.ways, to)
	}
	o.targets = strings.Split(*targets, ",")
	o.report = newReport(*phase)
	go func() {
		switchPhases(o.report)
		if *untilEOF {
			stop()
		}
	}()
	if *progress > 0 {
		go o.report.progress(ctx, *progress)
	}
	run, known := map[string]func(context.Context, *options){"http": requests, "stream": streams, "udp": datagrams}[os.Args[1]]
	if !known {
		usage(fmt.Sprintf("unknown kind of traffic %q: use http, stream, udp or serve", os.Args[1]))
	}
	run(ctx, &o)
	if o.report.finish() > 0 {
		os.Exit(1)
	}
}

// switchPhases begins a phase for each line on standard input and each SIGUSR1.
func switchPhases(r *report) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		for range signals {
			r.begin("")
		}
	}()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if name := strings.TrimSpace(lines.Text()); name != "" {
			r.begin(name)
		}
	}
}

func usage(message string) {
	fmt.Fprintln(os.Stderr, "traffic: "+message)
	os.Exit(2)
}
