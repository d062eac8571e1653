/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * authority.c - certificate authorities in memory. Reading the system's list takes 15 ms of CPU, so
 * it is done when the configuration is read and not for each probe; OpenSSL counts the users of a
 * store (X509_STORE_up_ref(3)), so that a probe in flight outlives a reload.
 *
 * A store made here has no lookup method: nothing is searched for in folders of the system behind
 * the operator's back (X509_LOOKUP_hash_dir(3)), and a CA file replaces the system's list.
 *
 * Owns one X509_STORE for each struct authority, and what the file looked like when it was read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "sys/authority_int.h"
#include "util/file.h"

struct authority {
	char *path;
	struct stat seen;
	X509_STORE *store;
	int certs;
};

static const char *system_list(void)
{
	const char *path = curl_version_info(CURLVERSION_NOW)->cainfo;

	return path ? path : "/etc/ssl/certs/ca-certificates.crt";
}

/* A FIFO in its place must not stop us: it is opened without waiting, and refused. */
static int file_open(struct authority *a)
{
	const int fd = open(a->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &a->seen))
		rc = -errno;
	else if (!S_ISREG(a->seen.st_mode))
		rc = -EINVAL;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

static void store_take(struct authority *a, const X509_INFO *info)
{
	if (info->x509 && X509_STORE_add_cert(a->store, info->x509))
		a->certs++;
	if (info->crl)
		X509_STORE_add_crl(a->store, info->crl);
}

static int store_fill(struct authority *a, const char *text, size_t len)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	STACK_OF(X509_INFO) *all = bio ? PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (!all)
		return -EBADMSG;
	for (int i = 0; i < sk_X509_INFO_num(all); i++)
		store_take(a, sk_X509_INFO_value(all, i));
	sk_X509_INFO_pop_free(all, X509_INFO_free);
	ERR_clear_error();
	return a->certs ? 0 : -ENODATA;
}

static int authority_read(struct authority *a)
{
	char *text = NULL;
	size_t len = 0;
	int fd = file_open(a), rc;

	if (fd < 0)
		return fd;
	rc = file_read_fd(fd, AUTHORITY_FILE_MAX, &text, &len);
	close(fd);
	if (!rc)
		rc = store_fill(a, text, len);
	free(text);
	return rc;
}

static const char *authority_why(int rc)
{
	switch (rc) {
	case -EINVAL:
		return "not a regular file";
	case -ENODATA:
		return "no certificate is in it";
	case -EBADMSG:
		return "not the PEM form of certificates";
	default:
		return strerror(-rc);
	}
}

int authority_load(struct authority **out, const char *file, char *why, size_t len)
{
	struct authority *a = calloc(1, sizeof(*a));
	int rc = -ENOMEM;

	if (a) {
		a->path = strdup(*file ? file : system_list());
		a->store = X509_STORE_new();
	}
	if (a && a->path && a->store)
		rc = authority_read(a);
	if (!rc) {
		*out = a;
		return 0;
	}
	snprintf(why, len, "%s: %s", a && a->path ? a->path : file, authority_why(rc));
	authority_free(a);
	return rc;
}

void authority_free(struct authority *a)
{
	if (!a)
		return;
	X509_STORE_free(a->store);
	free(a->path);
	free(a);
}

int authority_look(const struct authority *a)
{
	struct stat now;

	if (stat(a->path, &now))
		return -errno;
	if (now.st_dev != a->seen.st_dev || now.st_ino != a->seen.st_ino ||
	    now.st_size != a->seen.st_size || now.st_mtim.tv_sec != a->seen.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != a->seen.st_mtim.tv_nsec)
		return -ESTALE;
	return 0;
}

X509_STORE *authority_store(const struct authority *a)
{
	return a->store;
}
