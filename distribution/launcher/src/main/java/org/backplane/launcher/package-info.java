// SPDX-License-Identifier: Apache-2.0
/**
 * Starts Backplane: an ordinary program on the class path that fills an OSGi framework with the bundles of
 * {@code system/}.
 *
 * <p>It knows no bundle. What it needs of them it takes from the service registry by JDK types and by names:
 * a command ({@code backplane run …}) is a {@link java.util.function.ToIntFunction} of {@code String[]} with the
 * property {@value org.backplane.launcher.Commands#PROPERTY}, and Gogo is called by reflection.
 */
package org.backplane.launcher;
