module pointsman.io/lab/lab

go 1.26
