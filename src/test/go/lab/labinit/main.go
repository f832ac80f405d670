// SPDX-License-Identifier: Apache-2.0

// Command labinit is the first process of each PID namespace of the lab.
//
//	labinit lab LISTEN TARGET PIDFILE   starts a lab: a new PID, mount, IPC and network namespace
//	labinit hold                        stays, and reaps children: the first process of a node
//	labinit pause                       the same, for the sandbox of a pod
//	labinit sandbox BINARY ARGUMENT...  runs BINARY (runc) without a capability this machine lacks
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) < 2 {
		fail("name one of these first: lab, hold, pause, sandbox")
	}
	var err error
	switch os.Args[1] {
	case "lab":
		err = startLab(os.Args[2:])
	case "inside":
		err = insideLab(os.Args[2:])
	case "hold", "pause":
		hold()
	case "sandbox":
		err = sandbox(os.Args[2:])
	default:
		err = fmt.Errorf("unknown word %q: use lab, hold, pause or sandbox", os.Args[1])
	}
	if err != nil {
		fail(err.Error())
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "labinit: "+message)
	os.Exit(1)
}

// hold reaps every orphan that the kernel hands to the first process of a PID namespace, and ends,
// and with it the namespace, on SIGTERM or SIGINT.
func hold() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	children := make(chan os.Signal, 64)
	signal.Notify(children, syscall.SIGCHLD)
	reap()
	for {
		select {
		case <-end:
			return
		case <-children:
			reap()
		}
	}
}

func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
	}
}
