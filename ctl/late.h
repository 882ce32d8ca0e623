/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Libraries that most runs of swblockctl do without: thirty shared objects come with
 * libcurl, ten with GnuTLS, and to load them takes four times as long as all the rest
 * of `swblockctl status`. So the program is not linked with them, and the first use of
 * an etcd store, or of a key, loads them.
 *
 * A call is made through a table, curl.easy_init() for curl_easy_init(), whose types
 * are those of the library's own header.
 */
#ifndef CTL_LATE_H
#define CTL_LATE_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>
#include <gnutls/gnutls.h>

struct late_curl {
	typeof(curl_easy_cleanup) *easy_cleanup;
	typeof(curl_easy_getinfo) *easy_getinfo;
	typeof(curl_easy_init) *easy_init;
	typeof(curl_easy_perform) *easy_perform;
	typeof(curl_easy_reset) *easy_reset;
	typeof(curl_easy_setopt) *easy_setopt;
	typeof(curl_easy_strerror) *easy_strerror;
	typeof(curl_global_init) *global_init;
	typeof(curl_multi_add_handle) *multi_add_handle;
	typeof(curl_multi_cleanup) *multi_cleanup;
	typeof(curl_multi_info_read) *multi_info_read;
	typeof(curl_multi_init) *multi_init;
	typeof(curl_multi_perform) *multi_perform;
	typeof(curl_multi_poll) *multi_poll;
	typeof(curl_multi_remove_handle) *multi_remove_handle;
	typeof(curl_slist_append) *slist_append;
	typeof(curl_slist_free_all) *slist_free_all;
};

/* free, malloc and strdup are variables of the library: pointers to what is called */
struct late_gnutls {
	typeof(gnutls_alert_get) *alert_get;
	typeof(gnutls_alert_send) *alert_send;
	typeof(gnutls_alert_send_appropriate) *alert_send_appropriate;
	typeof(gnutls_base64_decode2) *base64_decode2;
	typeof(gnutls_cipher_get) *cipher_get;
	typeof(gnutls_credentials_set) *credentials_set;
	typeof(gnutls_deinit) *deinit;
	typeof(gnutls_error_is_fatal) *error_is_fatal;
	typeof(gnutls_free) *free;
	typeof(gnutls_handshake) *handshake;
	typeof(gnutls_handshake_get_last_out) *handshake_get_last_out;
	typeof(gnutls_hex_decode2) *hex_decode2;
	typeof(gnutls_init) *init;
	typeof(gnutls_malloc) *malloc;
	typeof(gnutls_priority_set_direct) *priority_set_direct;
	typeof(gnutls_protocol_get_version) *protocol_get_version;
	typeof(gnutls_psk_allocate_client_credentials) *psk_allocate_client_credentials;
	typeof(gnutls_psk_allocate_server_credentials) *psk_allocate_server_credentials;
	typeof(gnutls_psk_free_client_credentials) *psk_free_client_credentials;
	typeof(gnutls_psk_free_server_credentials) *psk_free_server_credentials;
	typeof(gnutls_psk_set_client_credentials_function) *psk_set_client_credentials_function;
	typeof(gnutls_psk_set_server_credentials_function) *psk_set_server_credentials_function;
	typeof(gnutls_record_check_pending) *record_check_pending;
	typeof(gnutls_record_get_state) *record_get_state;
	typeof(gnutls_session_get_ptr) *session_get_ptr;
	typeof(gnutls_session_set_ptr) *session_set_ptr;
	typeof(gnutls_strdup) *strdup;
	typeof(gnutls_transport_set_ptr) *transport_set_ptr;
	typeof(gnutls_transport_set_pull_function) *transport_set_pull_function;
	typeof(gnutls_transport_set_push_function) *transport_set_push_function;
};

extern struct late_curl curl;
extern struct late_gnutls gnutls;

/**
 * late_curl_load() - have libcurl, initialised
 * @why: says what is missing, and from which package it comes
 * @len: room for that, bytes
 *
 * May be called often, and by several threads at once. Nothing of @curl may be called
 * before it has returned true.
 */
bool late_curl_load(char *why, size_t len);

/** late_gnutls_load() - have GnuTLS; see late_curl_load() */
bool late_gnutls_load(char *why, size_t len);

#endif
