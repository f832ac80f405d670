// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

// listenerDescriptor is where the first process of the lab finds the socket that its parent opened.
const listenerDescriptor = 3

// startLab listens in the machine's network namespace, then starts the lab's first process in new
// namespaces and hands the socket on. So the API server answers on the machine's loopback without a
// link between the two network namespaces. The process stays as the parent: when it ends, by
// whatever signal, the kernel kills the first process and with it all that runs in the lab.
func startLab(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: labinit lab LISTEN TARGET PIDFILE")
	}
	listener, err := listen(args[0])
	if err != nil {
		return err
	}
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	// The parent-death signal follows the thread that made the child, so this thread must live on.
	runtime.LockOSThread()
	child := exec.Command("/proc/self/exe", "inside", args[1])
	child.ExtraFiles = []*os.File{file}
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
		Unshareflags: syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
		Setsid:       true,
	}
	signal.Ignore(syscall.SIGHUP)
	if err := child.Start(); err != nil {
		return fmt.Errorf("new namespaces: %w (root is needed)", err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	if err := writePidFile(args[2], child.Process.Pid, port); err != nil {
		return err
	}
	listener.Close()
	file.Close()
	return child.Wait()
}

// listen takes the wanted address, or any free port of the same host where it is taken.
func listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err == nil {
		return listener, nil
	}
	host, _, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		return nil, splitErr
	}
	return net.Listen("tcp", net.JoinHostPort(host, "0"))
}

// writePidFile leaves "pid port" where the lab looks for it, in one step.
func writePidFile(path string, pid int, port string) error {
	next := path + ".next"
	if err := os.WriteFile(next, []byte(strconv.Itoa(pid)+" "+port+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// insideLab is the first process of the lab.
func insideLab(args []string) error {
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	listener, err := net.FileListener(os.NewFile(listenerDescriptor, "listener"))
	if err != nil {
		return fmt.Errorf("listener: %w", err)
	}
	go forward(listener, args[0])
	hold()
	return nil
}

func forward(listener net.Listener, target string) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			fail("accept: " + err.Error())
		}
		go join(connection.(*net.TCPConn), target)
	}
}

// join copies both ways and passes on each half's end, as kubectl exec and watches need it.
func join(near *net.TCPConn, target string) {
	defer near.Close()
	connection, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	far := connection.(*net.TCPConn)
	defer far.Close()
	var both sync.WaitGroup
	for _, pair := range [][2]*net.TCPConn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(pair[1], pair[0])
			_ = pair[1].CloseWrite()
		})
	}
	both.Wait()
}
