/** The interpreter: decoded blocks, their cache, and the loop that runs them. Nothing here is exported. */
package org.backplane.x86.emulate;
