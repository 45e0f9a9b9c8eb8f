/**
 * Real guests: Debian's kernel, the benchmark images. A guest runs either as a user runs it, as a process of the finished distribution
 * ({@link org.backplane.itests.guest.GuestProcess}), or, where a test looks at cards, as a machine inside the container of
 * {@link org.backplane.itests.harness} ({@link org.backplane.itests.guest.ContainerGuest}). Both speak with it over the serial line
 * ({@link org.backplane.itests.guest.SerialLine}) and keep what was said in {@code target/guests}.
 *
 * <p>Tests without {@code @Tag("full")} are the quick ones that continuous integration runs: shorter command lines, fewer lines, fewer images.
 */
package org.backplane.itests.guest;
