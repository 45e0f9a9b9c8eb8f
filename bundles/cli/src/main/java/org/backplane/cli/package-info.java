/** {@code backplane run}: one machine without the shell, for scripts. */
package org.backplane.cli;
