/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reason.h - why an endpoint is in the state it is in: one row each, X(ID, name, class, help).
 * class: OK, HARD (nobody is there), SOFT (there, but not well), LOCAL (our own fault: never
 * counted against the endpoint), ADMIN (somebody asked for it). help is what rrctl(1) DIAGNOSTICS
 * says, remedy included.
 */
#ifndef UTIL_REASON_H
#define UTIL_REASON_H

#define REASONS(X) \
	X(NONE, none, OK, "nothing to report") \
	X(PASS, pass, OK, "the last probe passed") \
	X(UNCHECKED, unchecked, OK, "no probe has ended yet; wait one interval") \
	X(NO_CHECK, no_check, OK, "health checks are off for this service") \
	X(REFUSED, refused, HARD, "connect: refused; start the server or correct the port") \
	X(RESET, reset, HARD, "the connection was reset; look at the server's log") \
	X(UNREACHABLE, unreachable, HARD, \
	  "no route to the endpoint's address, or ICMP unreachable; check routing") \
	X(CONNECT_TIMEOUT, connect_timeout, SOFT, \
	  "no SYN-ACK within the timeout; host down or a firewall drops") \
	X(TLS_TIMEOUT, tls_timeout, SOFT, \
	  "connected, but the TLS handshake did not end in time; server overloaded") \
	X(TLS_ALERT, tls_alert, SOFT, \
	  "the TLS handshake failed; check sni, alpn and tls-min-version") \
	X(HTTP_STATUS, http_status, SOFT, \
	  "the response status is not in the expected range; look at the application") \
	X(HTTP_TIMEOUT, http_timeout, SOFT, \
	  "no complete response within the timeout; look at the application") \
	X(EXPECT_MISMATCH, expect_mismatch, SOFT, \
	  "the response does not contain the expected text") \
	X(CERT_EXPIRED, cert_expired, HARD, "the certificate has expired; renew it") \
	X(CERT_NAME, cert_name, HARD, "the certificate is for another name; check sni") \
	X(CERT_UNTRUSTED, cert_untrusted, HARD, \
	  "the certificate's issuer is not accepted; check ca, or the system's list") \
	X(LOCAL_ERROR, local_error, LOCAL, \
	  "the probe could not be sent from here; see the event log for errno") \
	X(OPERATOR, operator, ADMIN, "set by an operator with rrctl") \
	X(CONFIG, config, ADMIN, "set by the configuration file") \
	X(DEADLINE, deadline, ADMIN, "the drain deadline has passed") \
	X(DRAINED, drained, ADMIN, "no established flow is left") \
	X(NO_NEXT_HOP, no_next_hop, LOCAL, \
	  "no route or no neighbour entry for the endpoint; check ip route and ip neigh") \
	X(ADOPTED, adopted, OK, "state taken over from the running packet path; next probe decides")

enum reason {
#define REASON_ID(id, name, class, help) REASON_##id,
	REASONS(REASON_ID)
#undef REASON_ID
		REASON_MAX
};

enum reason_class { REASON_OK, REASON_HARD, REASON_SOFT, REASON_LOCAL, REASON_ADMIN };

const char *reason_name(enum reason r);
const char *reason_help(enum reason r);
enum reason_class reason_class(enum reason r);

#endif
