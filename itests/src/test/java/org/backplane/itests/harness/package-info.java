/**
 * How tests get into the container. A test class that carries {@link org.backplane.itests.harness.InContainer} exists twice: JUnit runs it on the
 * <em>host</em>, an ordinary JVM, where each method's body is skipped; instead {@link org.backplane.itests.harness.ContainerExtension} has it run
 * <em>inside</em>, in a bundle of the Felix container that Pax Exam started in the same process from the built distribution.
 *
 * <p>Inside, everything under {@code src/test} is one bundle, the probe. It sees the packages that bundles export, and JUnit, which the system
 * bundle exports from the host's class path: so an assertion that fails inside is the host's own.
 */
package org.backplane.itests.harness;
