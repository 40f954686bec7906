"""HTTP as every service speaks it: what is let in, routes, bodies, problems, pages, and a description of itself."""
